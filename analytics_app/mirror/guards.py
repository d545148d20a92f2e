"""What DynamoDB would refuse, or worse take, found before it is sent. Pure.

The limits are DynamoDB's documented ones; its local stand-ins let some of them pass.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from analytics_app.mirror.schema import Table

Item = Mapping[str, Any]

MOST_ITEM_BYTES: Final = 400 * 1024
MOST_DIGITS: Final = 38
MOST_LEVELS: Final = 32
_PARTITION_BYTES: Final = 2048
_SORT_BYTES: Final = 1024
_SMALLEST, _LARGEST = Decimal("1E-130"), Decimal("9.9999999999999999999999999999999999999E+125")


class InvalidItem(ValueError):
    """An item that must not be sent. `code` is a word for it, the text says what is wrong and where."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def check(item: Item, table: Table) -> None:
    """Raise `InvalidItem` where DynamoDB could not keep `item` in `table` exactly as it is."""
    for name in table.key_attributes:
        _check_key(name, item, primary=name in table.primary)
    size = sum(len(name.encode()) + _size(value, name, 1) for name, value in item.items())
    if size > MOST_ITEM_BYTES:
        raise InvalidItem("item_too_large", f"The item has {size:,} bytes; {MOST_ITEM_BYTES:,} is the most.")


def _check_key(name: str, item: Item, *, primary: bool) -> None:
    if name not in item:
        if primary:
            raise InvalidItem("key_missing", f"{name} is missing.")
        partner = name[:-2] + ("SK" if name.endswith("PK") else "PK")
        if partner in item:
            raise InvalidItem("key_missing", f"{partner} is given without {name}.")
        return
    value = item[name]
    if not isinstance(value, str):
        raise InvalidItem("key_type", f"{name} must be text, not {type(value).__name__}.")
    if not value:
        raise InvalidItem("key_empty", f"{name} is empty.")
    most = _SORT_BYTES if name.endswith("SK") else _PARTITION_BYTES
    if len(value.encode()) > most:
        raise InvalidItem("key_too_long", f"{name} is longer than {most} bytes.")


def _size(value: Any, path: str, level: int) -> int:
    """Bytes that a value counts for, rounded up for numbers."""
    if level > MOST_LEVELS:
        raise InvalidItem("too_deep", f"{path} lies deeper than {MOST_LEVELS} levels.")
    if value is None or isinstance(value, bool):
        return 1
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, Decimal):
        return _size_of_number(value, path)
    if isinstance(value, list | tuple):
        return 3 + sum(1 + _size(part, f"{path}[{n}]", level + 1) for n, part in enumerate(value))
    if isinstance(value, Mapping):
        return 3 + sum(
            1 + len(name.encode()) + _size(part, f"{path}.{name}", level + 1) for name, part in value.items()
        )
    raise InvalidItem("value_type", f"{path} is a {type(value).__name__}, which no item may hold.")


def _size_of_number(value: Decimal, path: str) -> int:
    if not value.is_finite():
        raise InvalidItem("number_not_finite", f"{path} is {value}.")
    digits = len("".join(map(str, value.as_tuple().digits)).strip("0"))
    if digits > MOST_DIGITS:
        raise InvalidItem("number_too_precise", f"{path} has more than {MOST_DIGITS} digits.")
    if value and not _SMALLEST <= abs(value) <= _LARGEST:
        raise InvalidItem("number_out_of_range", f"{path} is {value}.")
    return digits // 2 + 2
