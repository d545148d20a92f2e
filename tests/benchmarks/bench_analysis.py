"""The offline analysis of a megabyte of text, in a process of its own: time, memory, and the longest silence."""

import json
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from tests.benchmarks.runner import Result, benchmark, bounded, told

CHAPTER = Path(__file__).parent.parent / "analytics_app" / "qualitative" / "data" / "douglass_1845_chapter_7.txt"
BYTES = 1_000_000


@benchmark("analysis.")
def analysis() -> Iterator[Result]:
    """All five steps over a megabyte that reads like a chapter: its words, drawn by which follows which."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(_text())
        file.flush()
        command = [sys.executable, "-m", "tests.benchmarks.bench_analysis", file.name]
        ended = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(ended.stdout.splitlines()[-1])
    yield told("analysis.chunks", found["chunks"], "chunks")
    yield bounded("analysis.megabyte", found["seconds"], "s", most=60)
    yield bounded("analysis.memory", found["mib"], "MiB", most=500)
    yield bounded("analysis.longest_silence", found["silence"], "s", most=1)


def _text() -> str:
    draw = random.Random(1)
    words = CHAPTER.read_text().split()
    after: dict[str, list[str]] = {}
    for word, following in pairwise(words):
        after.setdefault(word, []).append(following)
    said, size, word = [], 0, words[0]
    while size < BYTES:
        word = draw.choice(after.get(word) or words)
        end = "\n\n" if word.endswith(".") and draw.random() < 0.15 else " "
        said.append(word + end)
        size += len(said[-1])
    return "".join(said)


def measure(path: str) -> None:
    """Carry out a run as the worker does, and print what it took."""
    import time

    import django

    django.setup()
    from analytics_app.qualitative import results, runs, texts
    from analytics_app.qualitative.pipeline import run

    began = time.monotonic()
    heard = [began]
    corpus = texts.corpus_of_files(None, [("megabyte.txt", Path(path).read_bytes())])
    asked = runs.analysis_create(corpus, defer=False)
    try:
        done = run(asked.pk, heard=lambda *_: heard.append(time.monotonic()))
        ended = time.monotonic()
        assert done is not None and done.overall_status == "completed", done
        chunks = len(results.load_result(done.request_id).chunks)
    finally:
        runs.analysis_delete(asked)
    print(
        json.dumps(
            {
                "seconds": ended - began,
                "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "silence": max(b - a for a, b in pairwise([*heard, ended])),
                "chunks": chunks,
            }
        )
    )


if __name__ == "__main__":
    measure(sys.argv[1])
