"""The text in a Word document or a PDF, taken out by a process of its own with bounds on its memory and its time.

A file of a megabyte can unpack into gigabytes. Where a class is served, that must cost nobody more than the file.
"""

import io
import json
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

MOST_UNPACKED_BYTES: Final = 200_000_000
MOST_MEMORY_BYTES: Final = 1_000_000_000
MOST_SECONDS: Final = 60
MOST_PAGES: Final = 3_000

_ROOT: Final = Path(__file__).resolve().parents[2]


class Why(StrEnum):
    """Why there is no text to be had of a file."""

    TOO_SLOW = "too_slow"
    FAR_LARGER = "far_larger"
    MANY_PAGES = "many_pages"
    LOCKED = "locked"
    NO_WORD_DOCUMENT = "no_word_document"
    NO_PDF = "no_pdf"


class Unusable(Exception):
    """A file without a text that can be had, and `why`."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


def unpack(kind: str, content: bytes) -> str:
    """The text in a file of a kind (`.docx` or `.pdf`), or `Unusable`."""
    command = [sys.executable, "-m", __name__, kind]
    try:
        ended = subprocess.run(
            command, input=content, capture_output=True, cwd=_ROOT, timeout=2 * MOST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise Unusable(Why.TOO_SLOW) from None
    if ended.returncode:
        raise Unusable(Why.FAR_LARGER)
    told = json.loads(ended.stdout)
    if "why" in told:
        raise Unusable(Why(told["why"]))
    text: str = told["text"]
    return text


def word_text(content: bytes) -> str:
    """The paragraphs of a Word document, then the cells of its tables, with an empty line between them."""
    from docx import Document
    from docx.opc.exceptions import PackageNotFoundError

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(part.file_size for part in archive.infolist()) > MOST_UNPACKED_BYTES:
                raise Unusable(Why.FAR_LARGER)
        document = Document(io.BytesIO(content))
    except (zipfile.BadZipFile, PackageNotFoundError, KeyError, ValueError):
        raise Unusable(Why.NO_WORD_DOCUMENT) from None
    paragraphs = [paragraph.text for paragraph in document.paragraphs]
    paragraphs += [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph.strip())


def pdf_text(content: bytes) -> str:
    """The text of the pages of a PDF, with an empty line between them; nothing where they are pictures."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unusable(Why.LOCKED)
        if len(reader.pages) > MOST_PAGES:
            raise Unusable(Why.MANY_PAGES)
        pages = [page.extract_text() for page in reader.pages]
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError):
        raise Unusable(Why.NO_PDF) from None
    text = "\n\n".join(page.replace("\x00", "") for page in pages)
    # Some fonts name characters by halves, of which pairs are made whole and single ones replaced.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


TAKEN: Final[Mapping[str, Callable[[bytes], str]]] = {".docx": word_text, ".pdf": pdf_text}


def main() -> None:
    """Read a file from standard input, and write its text as JSON, or why there is none.

    Where the memory or the time is over, the process ends with another status than 0 and says nothing.
    """
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        told = {"text": TAKEN[sys.argv[1]](sys.stdin.buffer.read())}
    except Unusable as unusable:
        told = {"why": unusable.why.value}
    except MemoryError:
        sys.exit(1)
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
