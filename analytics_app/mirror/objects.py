"""Amazon S3: the one module that talks to it. Objects are read by their URL; `S3Storage` is a Django storage."""

import io
import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import Storage
from django.utils.deconstruct import deconstructible

_URL: Final = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>[^\x00-\x1f]{1,1024})")
_MISSING: Final = frozenset({"404", "NoSuchKey", "NoSuchBucket", "NotFound"})
_FORBIDDEN: Final = frozenset({"403", "AccessDenied"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object lies."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class ObjectError(Exception):
    """An object cannot be had. `code`: `not_an_address`, `object_missing`, `object_forbidden`, `object_too_large` or
    `storage_away`; the text is a sentence for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def place_of(url: str) -> Place:
    """The place that `s3://bucket/key` names, or `ObjectError`.

    >>> str(place_of("s3://research-data/interviews/one.txt"))
    's3://research-data/interviews/one.txt'
    """
    found = _URL.fullmatch(url.strip())
    if found is None:
        raise ObjectError("not_an_address", "An address of S3 looks like s3://bucket/folder/file.txt.")
    return Place(found["bucket"], found["key"])


def read_object(place: Place, *, most_bytes: int) -> bytes:
    """The content of an object. One of more than `most_bytes` is refused before it is read."""
    try:
        reply = _client().get_object(Bucket=place.bucket, Key=place.key)
        with reply["Body"] as body:
            if reply["ContentLength"] > most_bytes:
                size, most = reply["ContentLength"] / 1e6, most_bytes / 1e6
                raise ObjectError("object_too_large", f"{place} has {size:,.0f} MB; {most:,.0f} MB is the most.")
            content: bytes = body.read(most_bytes + 1)
            return content
    except (ClientError, BotoCoreError) as error:
        raise _explained(error, str(place)) from None


def _explained(error: ClientError | BotoCoreError, what: str) -> ObjectError:
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
    if code in _MISSING:
        return ObjectError("object_missing", f"There is no object at {what}.")
    if code in _FORBIDDEN:
        return ObjectError("object_forbidden", f"S3 does not let us read {what}.")
    return ObjectError("storage_away", f"S3 cannot be reached for {what} ({code}).")


@cache
def _client() -> Any:
    config = Config(connect_timeout=3, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 4})
    return boto3.client("s3", region_name=settings.AWS_REGION, config=config)


@deconstructible
class S3Storage(Storage):
    """Files as objects of one bucket, which is made on first use where it may be. A file that is saved replaces."""

    def __init__(self, bucket: str) -> None:
        self.bucket = bucket

    def location_of(self, name: str) -> str:
        """The address of a file."""
        return str(Place(self.bucket, name))

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        try:
            content = read_object(Place(self.bucket, name), most_bytes=2**31)
        except ObjectError as error:
            if error.code == "object_missing":
                raise FileNotFoundError(str(error)) from None
            raise
        return File(io.BytesIO(content), name)

    def _save(self, name: str, content: Any) -> str:
        body = b"".join(part if isinstance(part, bytes) else part.encode() for part in content.chunks())
        try:
            self._put(name, body)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucket":
                raise _explained(error, self.location_of(name)) from None
            self._create_bucket()
            self._put(name, body)
        except BotoCoreError as error:
            raise _explained(error, self.location_of(name)) from None
        return name

    def _put(self, name: str, body: bytes) -> None:
        kind = "application/json" if name.endswith(".json") else "application/octet-stream"
        _client().put_object(Bucket=self.bucket, Key=name, Body=body, ContentType=kind)

    def _create_bucket(self) -> None:
        region = settings.AWS_REGION
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        try:
            _client().create_bucket(Bucket=self.bucket, **where)
        except (ClientError, BotoCoreError) as error:
            raise _explained(error, f"s3://{self.bucket}") from None

    def delete(self, name: str) -> None:
        """Delete a file; one that is not there is as good as deleted."""
        try:
            _client().delete_object(Bucket=self.bucket, Key=name)
        except (ClientError, BotoCoreError) as error:
            explained = _explained(error, self.location_of(name))
            if explained.code != "object_missing":
                raise explained from None

    def exists(self, name: str) -> bool:
        try:
            _client().head_object(Bucket=self.bucket, Key=name)
        except (ClientError, BotoCoreError) as error:
            explained = _explained(error, self.location_of(name))
            if explained.code != "object_missing":
                raise explained from None
            return False
        return True

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """The name itself: what is saved again replaces what was there."""
        return name
