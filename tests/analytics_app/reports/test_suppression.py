"""Small cells are hidden, and no sum gives them away."""

from hypothesis import given
from hypothesis import strategies as st

from analytics_app.reports.suppression import suppressed

ROWS = [[(row, column) for column in range(4)] for row in range(3)]
COLUMNS = [[(row, column) for row in range(3)] for column in range(4)]
ALL = [cell for row in ROWS for cell in row]
tables = st.lists(st.integers(0, 40), min_size=12, max_size=12).map(lambda counts: dict(zip(ALL, counts, strict=True)))


def test_a_cell_under_the_threshold_is_hidden_and_an_empty_one_is_not():
    assert suppressed({"a": 9, "b": 10, "c": 0}, threshold=10) == {"a"}


def test_a_second_cell_is_hidden_where_a_total_reveals_the_first():
    assert suppressed({"a": 9, "b": 30, "c": 12}, threshold=10, totals=["abc"]) == {"a", "c"}


def test_two_small_cells_that_are_few_together_take_a_third_with_them():
    assert suppressed({"a": 3, "b": 4, "c": 12, "d": 50}, threshold=10, totals=["abcd"]) == {"a", "b", "c"}


def test_a_total_that_is_small_itself_is_not_told_and_gives_nothing_away():
    assert suppressed({"a": 3, "b": 4}, threshold=10, totals=["ab"]) == {"a", "b"}


@given(tables, st.integers(5, 30))
def test_no_row_column_or_grand_total_reveals_a_hidden_cell(students: dict, threshold: int):
    hidden = suppressed(students, threshold=threshold, totals=[*ROWS, *COLUMNS, ALL])
    assert {cell for cell, n in students.items() if 0 < n < threshold} <= hidden
    assert all(students[cell] for cell in hidden)
    for group in (*ROWS, *COLUMNS, ALL):
        inside = [cell for cell in group if cell in hidden]
        told = sum(students[cell] for cell in group) >= threshold
        everything = all(cell in hidden or not students[cell] for cell in group)
        together = sum(students[cell] for cell in inside)
        assert not (inside and told) or everything or (len(inside) >= 2 and together >= threshold)


@given(tables)
def test_a_table_of_large_cells_is_told_whole(students: dict):
    large = {cell: n + 10 for cell, n in students.items()}
    assert not suppressed(large, threshold=10, totals=[*ROWS, *COLUMNS, ALL])
