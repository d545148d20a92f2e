"""Where the results of analyses lie: `STORAGES["analyses"]`, S3 or a directory.

Each step leaves its output, from which the next one goes on, also after a failure; the last one leaves the whole.
"""

import io
from typing import Any, Final
from uuid import UUID

import msgspec
from django.core.files.base import File
from django.core.files.storage import Storage, storages

from analytics_app.models import Analysis
from analytics_app.qualitative.findings import STEP_TYPES, Findings, Meaning, Step

_json: Final = msgspec.json.Encoder()


def storage() -> Storage:
    return storages["analyses"]


def step_name(request_id: str, step: Step) -> str:
    """
    >>> step_name("analysis_ab", Step.RELATING)
    'analysis-steps/analysis_ab/relating.json'
    """
    return f"analysis-steps/{request_id}/{step.value}.json"


def _partial_name(request_id: str) -> str:
    return f"analysis-steps/{request_id}/inferring-so-far.json"


def result_name(request_id: str) -> str:
    """
    >>> result_name("analysis_ab")
    'analysis-results/analysis_ab.json'
    """
    return f"analysis-results/{request_id}.json"


def location_of(request_id: str) -> str:
    """The address of a whole result: `s3://…`, or `file://…` in a directory."""
    kept = storage()
    name = result_name(request_id)
    found: str = kept.location_of(name) if hasattr(kept, "location_of") else f"file://{kept.path(name)}"
    return found


def save_step(request_id: str, step: Step, output: Any) -> None:
    _save(step_name(request_id, step), output)


def load_step(request_id: str, step: Step) -> Any:
    """What a completed step left. Raises `FileNotFoundError` where it is gone."""
    return msgspec.json.decode(_load(step_name(request_id, step)), type=STEP_TYPES[step])


def save_partial(request_id: str, meanings: dict[str, Meaning]) -> None:
    """Keep the meanings that were inferred before a step failed, by chunk: they are not paid for twice."""
    _save(_partial_name(request_id), meanings)


def load_partial(request_id: str) -> dict[str, Meaning]:
    name = _partial_name(request_id)
    return msgspec.json.decode(_load(name), type=dict[str, Meaning]) if storage().exists(name) else {}


def save_result(found: Findings) -> None:
    _save(result_name(found.request_id), found)


def load_result(request_id: str) -> Findings:
    """A whole result. Raises `FileNotFoundError` where it is gone."""
    return msgspec.json.decode(_load(result_name(request_id)), type=Findings)


def delete_results(analysis_id: UUID) -> None:
    """Delete everything that an analysis left."""
    request_id = Analysis(pk=analysis_id).request_id
    for name in (*(step_name(request_id, step) for step in Step), _partial_name(request_id), result_name(request_id)):
        storage().delete(name)


def _save(name: str, value: Any) -> None:
    storage().save(name, File(io.BytesIO(_json.encode(value)), name))


def _load(name: str) -> bytes:
    with storage().open(name) as file:
        content: bytes = file.read()
    return content
