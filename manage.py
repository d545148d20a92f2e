#!/usr/bin/env python
"""The Django entry point: brings the embedded stack up where it is used, then runs a command."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    from config.local import stack

    try:
        stack.ensure_for_command(sys.argv)
    except stack.StackError as error:
        sys.exit(f"lyceum: {error}")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
