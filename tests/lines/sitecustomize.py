"""Compiles the product with notes of the lines that ran, where `COVERAGE_LINES` names a directory to keep them in.

Python imports this by its name in every process that has this directory on its `PYTHONPATH`, before anything else. An
`except` and a `case` count as run when they are entered.
"""

import ast
import importlib.machinery
import mmap
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("analytics_app", "sessions_app")
LINES = os.environ.get("COVERAGE_LINES", "")
NOTES = "@lines"  # no name that a module could have itself
NEWLINE = b"\n"


def noted(name: str, length: int) -> mmap.mmap:
    """The notes of a source file of `length` lines: byte n is 1 when line n has run, in whatever process."""
    file = os.open(Path(LINES, name + ".lines"), os.O_RDWR | os.O_CREAT, 0o666)
    try:
        os.ftruncate(file, length + 1)
        return mmap.mmap(file, length + 1)
    finally:
        os.close(file)


def with_notes(source: bytes, name: str) -> ast.Module:
    """A module of which each statement first notes its line."""
    tree = ast.parse(source)
    for node in list(ast.walk(tree)):
        for field in ("body", "orelse", "finalbody"):
            statements = getattr(node, field, None)
            if isinstance(statements, list):
                setattr(node, field, _noting(node, statements))
    first = next((n for n, s in enumerate(tree.body) if not (_is_docstring(tree, s) or _is_future(s))), len(tree.body))
    [opened] = ast.parse(f"lines = __import__('sitecustomize').noted({name!r}, {source.count(NEWLINE) + 1})").body
    opened.targets[0].id = NOTES  # type: ignore[attr-defined]
    futures = [_note(statement.lineno) for statement in tree.body[:first] if isinstance(statement, ast.ImportFrom)]
    tree.body[first:first] = [opened, *futures]
    return tree


def _noting(owner: ast.AST, statements: list[ast.stmt]) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    if statements and isinstance(owner, (ast.ExceptHandler, ast.match_case)):
        line = owner.lineno if isinstance(owner, ast.ExceptHandler) else owner.pattern.lineno
        found.append(_note(line))
    for statement in statements:
        if not (_is_docstring(owner, statement) or _is_future(statement)):
            found += [_note(decorator.lineno) for decorator in getattr(statement, "decorator_list", ())]
            found.append(_note(statement.lineno))
        found.append(statement)
    return found


def _is_docstring(owner: ast.AST, statement: ast.stmt) -> bool:
    documented = isinstance(owner, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
    return documented and statement is owner.body[0] and ast.get_docstring(owner, clean=False) is not None


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _note(line: int) -> ast.stmt:
    """`@lines[line] = 1`, standing on that line."""
    at = {"lineno": line, "end_lineno": line, "col_offset": 0, "end_col_offset": 0}
    byte = ast.Subscript(ast.Name(NOTES, ast.Load(), **at), ast.Constant(line, **at), ast.Store(), **at)
    return ast.Assign([byte], ast.Constant(1, **at), **at)


class Noting(importlib.machinery.SourceFileLoader):
    """Compiles a module with its notes, and keeps what it compiled beside them."""

    def source_to_code(self, data, path, *, _optimize=-1):  # type: ignore[no-untyped-def, override]
        tree = with_notes(bytes(data), _name(path))
        return compile(tree, path, "exec", dont_inherit=True, optimize=_optimize)

    def get_data(self, path: str) -> bytes:
        return super().get_data(_beside_the_notes(path))

    def set_data(self, path: str, data: bytes, *, _mode: int = 0o666) -> None:
        super().set_data(_beside_the_notes(path), data, _mode=_mode)


def _name(path: str) -> str:
    return ".".join(Path(path).relative_to(ROOT).parts)


def _beside_the_notes(path: str) -> str:
    return str(Path(LINES, _name(path))) if path.endswith(".pyc") else path


class Finder:
    """Finds the modules of the product, for `Noting` to load."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:
        package, _, rest = name.partition(".")
        if package not in PACKAGES or "migrations" in rest.split("."):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)  # type: ignore[arg-type]
        if spec and spec.origin and Path(spec.origin).is_relative_to(ROOT) and isinstance(spec.loader, Noting.__base__):
            spec.loader = Noting(name, spec.origin)
        return spec


if LINES and __name__ == "sitecustomize":
    sys.meta_path.insert(0, Finder)  # type: ignore[arg-type]
