"""CSV as spreadsheets write it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sessions_app import csv_files
from sessions_app.csv_files import Unreadable

SPANISH = "etiqueta;nombre\nÑandú;Íñigo Peña\n"


def cells(content: bytes) -> list[tuple[str, ...]]:
    table = csv_files.read(content, most_rows=500)
    return [table.header, *(line.cells for line in table.lines)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_every_encoding_that_spreadsheets_write_is_read(encoding: str):
    assert cells(SPANISH.encode(encoding)) == [("etiqueta", "nombre"), ("Ñandú", "Íñigo Peña")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found_in_the_header(delimiter: str):
    text = f'label{delimiter}name\r\nSam{delimiter}"Torres, Sam; or so"\r\n'
    assert cells(text.encode()) == [("label", "name"), ("Sam", "Torres, Sam; or so")]


def test_a_delimiter_that_the_file_declares_is_taken():
    assert cells(b"sep=;\nlabel;name,nick\nSam;S\n") == [("label", "name,nick"), ("Sam", "S")]


def test_empty_rows_are_left_out_and_lines_are_counted_as_an_editor_counts_them():
    table = csv_files.read(b'label,note\n\nSam,"two\nlines"\n,\nTia,x\n', most_rows=500)
    assert [(line.number, line.cells[0]) for line in table.lines] == [(3, "Sam"), (6, "Tia")]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"\n,,\n", "empty"),
        (b"label\n" * 502, "500 rows"),
        (b"x" * 1_000_001, "1 MB"),
        (b"PK\x03\x04rest", "workbook"),
        (b"label\nSa\x00m\n", "not text"),
        (b'label\n"Sam\n', "quotation mark"),
        (b"label\n" + b"x" * 200_000, "breaks off"),
    ],
)
def test_what_cannot_be_read_says_why(content: bytes, why: str):
    with pytest.raises(Unreadable) as refused:
        csv_files.read(content, most_rows=500)
    assert why in str(refused.value.message)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_cell_that_would_be_calculated_gets_an_apostrophe(cell: str):
    assert csv_files.guarded(cell) == f"'{cell}"


def test_numbers_and_plain_text_are_exported_as_they_are():
    assert csv_files.write(["a", "b", "c"], [[-1, "O'Brien", None]]) == "a,b,c\r\n-1,O'Brien,\r\n"


@example(["'=1", "''=1", "'t Hooft"])
@given(st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1), min_size=1, max_size=4))
def test_what_is_exported_can_be_imported_again(row: list[str]):
    written = csv_files.write([f"c{n}" for n in range(len(row))], [row]).encode()
    [line] = csv_files.read(written, most_rows=10).lines
    assert line.cells == tuple(row)
