"""The text in files as they come: formats, encodings, and what is refused with one sentence."""

import io
import resource
import zipfile
from collections.abc import Callable

import docx
import pytest
from pypdf import PdfWriter

from analytics_app.qualitative import packed
from analytics_app.qualitative.files import MOST_BYTES, MOST_TEXTS, Unreadable, read_file

SENTENCE = "I could not hear the guide, because the hall was full of people."


def pdf(*lines: str) -> bytes:
    """A PDF of one page, written by hand: with lines of text, or with none, as a scanner makes it."""
    drawn = "".join(f"BT /F1 12 Tf 72 {700 - 20 * n} Td ({line}) Tj ET\n" for n, line in enumerate(lines)).encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
            b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
        ),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn),
    ]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = len(out)
    out += b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % table
    return bytes(out)


def word(*paragraphs: str) -> bytes:
    document = docx.Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    document.add_table(1, 1).cell(0, 0).text = "In a table too."
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def locked() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def crowded() -> bytes:
    """A megabyte that the reader of Word documents would make twelve gigabytes of."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(word("x"))) as whole, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in whole.namelist():
            part = whole.read(name)
            if name == "word/document.xml":
                part = part.replace(b"<w:body>", b"<w:body>" + b"<w:p><w:r><w:t>a</w:t></w:r></w:p>" * 4_000_000)
            archive.writestr(name, part)
    return out.getvalue()


@pytest.fixture
def apart() -> None:
    """Asks for the process that takes files apart."""


@pytest.fixture(autouse=True)
def here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are taken apart in this process, which takes a tenth of the time, but for the tests of the other one."""
    if "apart" not in request.fixturenames:
        monkeypatch.setattr(packed, "unpack", lambda kind, content: packed.TAKEN[kind](content))


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"0" * 201_000_000)
    return out.getvalue()


@pytest.mark.parametrize("name", ["one.txt", "one.md", "ONE.TXT", "C:\\Users\\rosa\\one.txt", "folder/one.txt"])
def test_a_text_is_read_as_it_is(name: str) -> None:
    [found] = read_file(name, f"First.\r\nSecond.\r{SENTENCE}".encode())
    assert found.text == f"First.\nSecond.\n{SENTENCE}"
    assert (found.encoding, found.encoding_assumed) == ("utf-8", False)
    assert "/" not in found.name and "\\" not in found.name


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_a_file_that_says_its_encoding_is_believed(encoding: str) -> None:
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    [found] = read_file("año.txt", mark + "El niño lee en la escuela.".encode(encoding))
    assert found.text == "El niño lee en la escuela."
    assert not found.encoding_assumed


def test_an_encoding_that_had_to_be_guessed_is_named() -> None:
    text = "El niño pequeño leía en la escuela; mañana leerá también el señor Núñez, según dice el alcalde. " * 5
    [found] = read_file("old.txt", text.encode("cp1252"))
    assert found.text == text
    assert (found.encoding, found.encoding_assumed) == ("windows-1252", True)
    polish = "Zażółć gęślą jaźń, powiedział nauczyciel w szkole. " * 20
    [found] = read_file("old.txt", polish.encode("cp1250"))
    assert found.text == polish and found.encoding_assumed


def test_a_word_document_gives_its_paragraphs_and_tables() -> None:
    [found] = read_file("notes.docx", word("First thought.", SENTENCE))
    assert found.text == f"First thought.\n\n{SENTENCE}\n\nIn a table too."


def test_half_characters_of_a_pdf_are_made_whole_or_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pypdf.PageObject.extract_text", lambda page: "one \ud835\udc00 two \ud800 three")
    [found] = read_file("notes.pdf", pdf(SENTENCE))
    assert found.text == "one \U0001d400 two \ufffd three"


@pytest.mark.usefixtures("apart")
def test_packed_files_are_taken_apart_by_a_process_that_may_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    [found] = read_file("notes.docx", word("Año nuevo.", SENTENCE))
    assert found.text.startswith("Año nuevo.")
    for name, content, code in (("scan.pdf", pdf(), "no_words"), ("broken.docx", b"not a zip", "damaged")):
        with pytest.raises(Unreadable) as refused:
            read_file(name, content)
        assert refused.value.code == code
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    with pytest.raises(Unreadable, match="far larger unpacked"):
        read_file("crowded.docx", crowded())
    most = max(before * 1024, packed.MOST_MEMORY_BYTES)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 <= most
    monkeypatch.setattr(packed, "MOST_SECONDS", 0)
    with pytest.raises(Unreadable, match="could not be read within") as refused:
        read_file("notes.docx", word("x"))
    assert refused.value.code == "too_slow"


def test_a_pdf_gives_its_text() -> None:
    [found] = read_file("notes.pdf", pdf(SENTENCE, "And more."))
    assert SENTENCE in found.text and "And more." in found.text


def test_each_row_of_a_table_is_a_text() -> None:
    rows = 'id;age;what was good\nA7;12;"The tools, and to hold them"\nB2;11;\nC9;12;=SUM(1) was a good one\n'
    found = read_file("survey.csv", rows.encode())
    assert [(one.name, one.text) for one in found] == [
        ("survey.csv, id A7", "The tools, and to hold them"),
        ("survey.csv, id C9", "=SUM(1) was a good one"),
    ]


def test_a_table_of_one_column_is_read_too() -> None:
    found = read_file("answers.csv", b"answer\nThe tools were heavy and cold\nI liked the questions best\n")
    assert [one.text for one in found] == ["The tools were heavy and cold", "I liked the questions best"]


@pytest.mark.parametrize(
    ("name", "content", "code", "says"),
    [
        ("empty.txt", b"", "empty", "The file is empty."),
        ("picture.png", b"\x89PNG", "unknown_kind", "can be analysed"),
        ("noname", b"text", "unknown_kind", "can be analysed"),
        ("scan.pdf", pdf(), "no_words", "Run a text recognition over it first"),
        ("broken.pdf", b"%PDF-1.4 and then nothing", "damaged", "not a PDF, or is damaged"),
        ("locked.pdf", locked(), "locked", "locked with a password"),
        ("broken.docx", b"not a zip", "damaged", "not a Word document"),
        ("renamed.docx", word("x").replace(b"word/document.xml", b"word/documint.xml"), "damaged", "not a Word"),
        ("bomb.docx", bomb, "too_large", "far larger unpacked"),
        ("program.txt", b"MZ\x00\x01 some words", "not_text", "not a text file"),
        ("half.txt", b"\xff\xfeabc", "not_text", "damaged"),
        ("dots.txt", b"... 42 !!", "no_words", "no words"),
        ("heads.csv", b"id,answer\n", "no_rows", "no rows under its headings"),
        ("long.csv", b"answer\n" + b"yes\n" * (MOST_TEXTS + 1), "too_large", "more than 20,000 rows"),
        ("large.txt", b"a" * (MOST_BYTES + 1), "too_large", "20 MB is the most. Nothing was kept."),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value and " " not in value else "",
)
def test_what_cannot_be_read_is_refused_with_a_reason(
    name: str, content: bytes | Callable[[], bytes], code: str, says: str
) -> None:
    with pytest.raises(Unreadable) as refused:
        read_file(name, content() if callable(content) else content)
    assert refused.value.code == code
    assert str(refused.value).startswith(f"{name}: ") and says in str(refused.value)


def test_bytes_of_no_encoding_are_refused() -> None:
    with pytest.raises(Unreadable) as refused:
        read_file("noise.txt", bytes(range(128, 256)) * 40 + b"\x81\x8d\x8f\x90\x9d" * 100)
    assert refused.value.code in {"unknown_encoding", "not_text", "no_words"}
