"""DRF's JSON parser, with the one strict decoder behind it."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import JSONParser

from sessions_app.wire import MAX_BYTES, Malformed, decode_value


class TooLarge(APIException):
    """The body is larger than any message may be."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class StrictJSONParser(JSONParser):
    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return decode_value(stream.read(MAX_BYTES + 1))
        except Malformed as error:
            refusal = TooLarge if error.code == "too_large" else ParseError
            raise refusal(error.message, code=error.code) from None
