"""Items as JSON, with numbers that are the same numbers afterwards. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def json_value(value: Any) -> Any:
    """An item, or a part of one, as JSON's own types. A number that a float cannot hold exactly becomes its text.

    >>> json_value({"n": Decimal("10"), "half": Decimal("2.5"), "long": Decimal("0.1234567890123456789")})
    {'n': 10, 'half': 2.5, 'long': '0.1234567890123456789'}
    """
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, Mapping):
        return {str(name): json_value(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set):
        return [json_value(part) for part in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _number(value: Decimal) -> int | float | str:
    if not value.is_finite():
        return str(value)
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)
