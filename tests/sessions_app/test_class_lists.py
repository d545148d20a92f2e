"""Class lists from CSV files: what a file would do, and that all of it or nothing is done."""

from datetime import UTC, datetime

import pytest

from sessions_app import class_lists
from sessions_app.csv_files import Unreadable
from sessions_app.models import ClassMembership, Consent, ConsentState, SchoolClass, Student, StudentVersion, User
from sessions_app.refusals import Refused
from tests.cast import consent, make_student

pytestmark = pytest.mark.django_db


def look(text: str, school_class: SchoolClass) -> class_lists.Preview:
    return class_lists.preview(text.encode(), school_class)


def bring_in(text: str, school_class: SchoolClass, by: User) -> class_lists.Preview:
    return class_lists.apply(text.encode(), school_class, by=by, digest=look(text, school_class).digest)


def problems(text: str, school_class: SchoolClass) -> list[str]:
    return [str(problem) for row in look(text, school_class).rows for problem in row.problems]


def labels(school_class: SchoolClass) -> list[str]:
    return list(school_class.memberships.values_list("label", flat=True))


def test_a_preview_says_what_would_happen_and_writes_nothing(grade_four: SchoolClass, sam: Student, tia: Student):
    found = look("label,grade\nSam,4\nTia,5\nUma,4\n,4\n", grade_four)
    assert [row.change for row in found.rows] == ["same", "changed", "new", "wrong"]
    assert (found.same, found.changed, found.new, found.wrong) == (1, 1, 1, 1)
    assert labels(grade_four) == ["Sam", "Tia"]
    assert not StudentVersion.objects.filter(pgh_label="update").exists()


def test_a_preview_of_a_long_list_reads_little(grade_four: SchoolClass, sam: Student, django_assert_num_queries):
    rows = "\n".join(f"S{n},{n}" for n in range(400))
    with django_assert_num_queries(3):
        look(f"label,id\nSam,\n{rows}\n", grade_four)


def test_every_row_without_a_problem_is_written_with_who_did_it(grade_four: SchoolClass, alice: User, tia: Student):
    bring_in(
        "label,name,grade,age,id,lives in Richmond\nTia,Tiana Brooks,K,6,20,yes\nUma,,40,,,\nVic,,,,,\n",
        grade_four,
        alice,
    )
    assert labels(grade_four) == ["Tia", "Vic"]
    tia.refresh_from_db()
    assert (tia.name, tia.grade, tia.age, tia.external_id, tia.richmond_resident) == ("Tiana Brooks", 0, 6, "20", True)
    changed = StudentVersion.objects.get(pgh_obj=tia, pgh_label="update")
    assert changed.pgh_context == {"user": str(alice.pk)}


def test_an_empty_cell_leaves_what_is_known(grade_four: SchoolClass, alice: User, sam: Student):
    bring_in("label,name,grade\nSam,,5\n", grade_four, alice)
    sam.refresh_from_db()
    assert (sam.name, sam.grade) == ("Sam Canary-Name", 5)


def test_a_row_is_met_by_number_before_label(grade_four: SchoolClass, alice: User, sam: Student):
    Student.objects.filter(pk=sam.pk).update(external_id="20417")
    bring_in("label,id\nSamuel,20417\n", grade_four, alice)
    assert labels(grade_four) == ["Samuel"]
    assert Student.objects.get(external_id="20417").label == "Samuel"


def test_a_student_of_another_class_joins_and_their_record_is_neither_shown_nor_changed(
    grade_four: SchoolClass, alice: User, school
):
    elsewhere = SchoolClass.objects.create(school=school, name="Grade 5 A")
    una = make_student(elsewhere, "Una", grade=5, external_id="77")
    [row] = look("label,name,grade,id\nUna,,,77\n", grade_four).rows
    assert (row.change, row.name, row.grade) == ("new", "", None)
    bring_in("label,name,grade,id\nUna,Somebody Else,4,77\n", grade_four, alice)
    una.refresh_from_db()
    assert (una.name, una.grade) == ("Una Canary-Name", 5)
    assert set(una.classes.all()) == {elsewhere, grade_four}


def test_a_number_of_another_school_is_not_met(grade_four: SchoolClass, alice: User, umi: Student):
    Student.objects.filter(pk=umi.pk).update(external_id="77")
    bring_in("label,id\nUmi,77\n", grade_four, alice)
    assert umi.classes.count() == 1
    assert Student.objects.filter(external_id="77").count() == 2


def test_a_student_who_had_left_the_school_comes_back_with_the_list(grade_four: SchoolClass, alice: User, sam: Student):
    Student.objects.filter(pk=sam.pk).update(archived_at=datetime(2026, 6, 1, tzinfo=UTC))
    assert bring_in("label\nSam\n", grade_four, alice).changed == 1
    sam.refresh_from_db()
    assert sam.archived_at is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("label,grade\nUma,13\n", "grade: Ensure this value is less than or equal to 12."),
        ("label,Grado\nUma,four\n", "Grado: “four” is not a grade: write K or a number up to 12."),
        ("label,age\nUma,3\n", "age: Ensure this value is greater than or equal to 4."),
        ("label,age\nUma,old\n", "age: “old” is not a whole number."),
        ("label,vive en Richmond\nUma,maybe\n", "vive en Richmond: “maybe” is neither yes nor no."),
        (f"label\n{'U' * 41}\n", "label: Ensure this value has at most 40 characters (it has 41)."),
        ("label,name\n,Uma\n", "label: This is missing."),
        ("label\nUma\x07\n", "label: There is a character in it that cannot be shown."),
        ("label\nUma,4\n", "row: There are more cells than columns. Is a quotation mark missing?"),
        ("label,consent\nUma,yes\n", "consent date: A consent needs its date, such as 2026-09-01."),
        ("label,consent,consent date\nUma,yes,9/1/26\n", "consent date: “9/1/26” is not a date such as 2026-09-01."),
        ("label,consent,consent date\nUma,yes,2126-09-01\n", "consent date: This is in the future."),
    ],
)
def test_a_problem_names_the_column_as_the_file_calls_it(text: str, said: str, grade_four: SchoolClass):
    assert problems(text, grade_four) == [said]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("label\nUma\nUMA\n", [f"label: “{label}” stands in the file more than once." for label in ("Uma", "UMA")]),
        ("label,id\nUma,1\nVic,1\n", ["id: “1” stands in the file more than once."] * 2),
        ("label,id\nUma,20417\nSam,\n", ["label: Two rows of the file are about this student."] * 2),
        ("label,id\nSam,9\n", ["id: “Sam” is in this class already, with another number."]),
        ("label,id\nTia,20417\n", ["label: “Tia” is the label of somebody else in this class."]),
    ],
)  # fmt: skip
def test_what_contradicts_the_file_or_the_class_is_a_problem(
    text: str, said: list[str], grade_four: SchoolClass, sam: Student, tia: Student
):
    Student.objects.filter(pk=sam.pk).update(external_id="20417")
    assert problems(text, grade_four) == said


def test_columns_may_have_spanish_names_and_unknown_ones_are_ignored(grade_four: SchoolClass):
    found = look("Etiqueta;Nombre;Grado;Edad;Matrícula;Mascota\nUma;Uma Ruiz;4º;9;12;gato\n", grade_four)
    [row] = found.rows
    assert (row.label, row.name, row.grade, row.values["age"], row.external_id) == ("Uma", "Uma Ruiz", 4, 9, "12")
    assert found.ignored == ("Mascota",)


@pytest.mark.parametrize(
    ("text", "why"), [("name\nUma\n", "“label”"), ("label,id,Student ID\nUma,1,1\n", "mean the same")]
)
def test_a_header_that_cannot_be_understood_is_said_at_once(text: str, why: str, grade_four: SchoolClass):
    with pytest.raises(Unreadable) as refused:
        look(text, grade_four)
    assert why in str(refused.value.message)


def test_the_guardians_consents_are_recorded_with_their_date(grade_four: SchoolClass, alice: User, school):
    bring_in(
        "label,consent,guardian consent audio,Consentimiento de investigación,consent_date\nUma,yes,no,sí,2026-09-01\n",
        grade_four,
        alice,
    )
    given = Consent.objects.filter(student__label="Uma")
    assert {(c.purpose, c.decision, c.given_by, c.how_obtained, c.recorded_by) for c in given} == {
        ("participation", "granted", "guardian", "paper", alice),
        ("audio", "refused", "guardian", "paper", alice),
        ("research", "granted", "guardian", "paper", alice),
    }
    assert {c.given_at for c in given} == {datetime(2026, 9, 1, tzinfo=school.zone)}


def test_the_same_list_again_does_not_undo_a_withdrawal(grade_four: SchoolClass, alice: User):
    text = "label,consent,consent date\nUma,yes,2026-09-01\n"
    bring_in(text, grade_four, alice)
    uma = Student.objects.get(label="Uma")
    consent(uma, decision="withdrawn")
    assert bring_in(text, grade_four, alice).same == 1
    assert not ConsentState.objects.get(student=uma, purpose="participation").granted


def test_importing_twice_changes_nothing_the_second_time(grade_four: SchoolClass, alice: User):
    text = "label,name,grade,consent,consent date\nUma,Uma Ruiz,4,yes,2026-09-01\nVic,,,,\n"
    bring_in(text, grade_four, alice)
    assert bring_in(text, grade_four, alice).same == 2
    assert Student.objects.filter(label="Uma").count() == Consent.objects.filter(student__label="Uma").count() == 1


def test_nothing_is_written_when_the_class_is_no_longer_what_the_preview_showed(grade_four: SchoolClass, alice: User):
    text = "label\nUma\nVic\n"
    seen = look(text, grade_four).digest
    make_student(grade_four, "Vic")
    with pytest.raises(Refused) as refused:
        class_lists.apply(text.encode(), grade_four, by=alice, digest=seen)
    assert refused.value.code == "list_changed"
    assert labels(grade_four) == ["Vic"]


def test_nothing_is_written_when_a_row_fails_in_the_middle(grade_four: SchoolClass, alice: User, monkeypatch):
    def take_the_place(*args: object, **options: object) -> None:
        stranger = Student.objects.create(school=grade_four.school, label="Vic")
        create(ClassMembership(school_class=grade_four, student=stranger, label="Vic"))
        original(*args, **options)

    create = ClassMembership.save_base
    original = ClassMembership.objects.bulk_create
    monkeypatch.setattr(ClassMembership.objects, "bulk_create", take_the_place)
    with pytest.raises(Refused, match="list_changed"):
        bring_in("label\nUma\nVic\n", grade_four, alice)
    assert labels(grade_four) == []
    assert not Student.objects.filter(label="Uma").exists()
