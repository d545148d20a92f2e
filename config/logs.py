"""What the log leaves out."""

import logging


def without_traceback_of_refusals(record: logging.LogRecord) -> bool:
    """A refusal (4xx) is one line: Django would add where in our code it was refused, as if that were a fault."""
    if getattr(record, "status_code", 500) < 500:
        record.exc_info = record.exc_text = None
    return True
