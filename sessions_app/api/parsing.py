"""DRF's JSON parser, with the one strict decoder behind it."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from sessions_app.wire import MAX_BYTES, Malformed, decode_value


class StrictJSONParser(JSONParser):
    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return decode_value(stream.read(MAX_BYTES + 1))
        except Malformed as error:
            raise ParseError(error.message, code=error.code) from None
