"""Looks at the plan of every statement while it runs, on either database: what it reads beside what it needs."""

import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import CodeType
from typing import Any

import sqlalchemy as sa

from realtime import store
from realtime.store import schema

LARGE = ("entries", "changes", "batches", "runs", "dead_letters", "holds", "numbers", "candles", "notes", "activity")
LARGE += ("presence",)
SMALL = {*schema.metadata.tables} - {*LARGE}
WASTED = 500  # rows that a statement may look at for nothing: as many as a page or a piece has
_ROWS = re.compile(r"Rows Removed by (?:Filter|Index Recheck|Join Filter): (\d+)")
_SCAN = re.compile(r"SCAN (?!CONSTANT ROW|\d+-ROW VALUES)(\S+)(?: (?!VIRTUAL TABLE)|$)")
_ALIAS = re.compile(rf"\b({'|'.join(schema.metadata.tables)})\"? AS \"?(\w+)")
_MADE = re.compile(r"(?:CO-ROUTINE|MATERIALIZE) (\S+)")
# a bitmap is of an index, which is called after its table
_WALK = re.compile(r"(?:Seq|Index|Index Only|Bitmap Index) Scan.* on (\w+)")


class Plans:
    """What was seen. `walks` are statements that read a large table from end to end, `wasteful` those that threw away
    many rows; each with its plan. `seen` counts all."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.walks: dict[str, str] = {}
        self.wasteful: dict[str, str] = {}

    @contextmanager
    def of(self, engine: sa.Engine) -> Iterator[None]:
        """Looks at all that this engine runs meanwhile."""
        look = self._look_postgresql if engine.dialect.name == "postgresql" else self._look_sqlite
        sa.event.listen(engine, "before_cursor_execute", look)
        try:
            yield
        finally:
            sa.event.remove(engine, "before_cursor_execute", look)

    def _look_sqlite(self, connection: Any, _cursor: Any, statement: str, parameters: Any, _c: Any, many: bool) -> None:
        if not self._is_ours(statement):
            return
        cursor = connection.connection.cursor()
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters[0] if many else parameters)
        plan = [row[3] for row in cursor.fetchall()]
        cursor.close()
        if walked(statement, plan):
            self.walks[statement] = "\n".join(plan)

    def _look_postgresql(
        self, connection: Any, _cursor: Any, statement: str, parameters: Any, _c: Any, many: bool
    ) -> None:
        """Runs the statement once more, inside a savepoint that is taken back."""
        if not self._is_ours(statement):
            return
        cursor = connection.connection.cursor()
        cursor.execute("SAVEPOINT plan")
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF) {statement}", parameters[0] if many else parameters)
        plan = [row[0] for row in cursor.fetchall()]
        cursor.execute("ROLLBACK TO plan")
        cursor.close()
        if any(self._is_walk(plan, number) for number in range(len(plan))):
            self.walks[statement] = "\n".join(plan)
        if any(int(rows) > WASTED for rows in _ROWS.findall("\n".join(plan))):
            self.wasteful[statement] = "\n".join(plan)

    def _is_ours(self, statement: str) -> bool:
        self.seen.add(statement)
        return statement.split()[0] in ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")

    @staticmethod
    def _is_walk(plan: list[str], number: int) -> bool:
        """A table read in whole: one after the other, or through an index without a condition on it."""
        scan = _WALK.search(plan[number])
        if scan is None or not scan[1].startswith(LARGE):
            return False
        following = plan[number + 1] if number + 1 < len(plan) else ""
        return "Seq Scan" in plan[number] or "Index Cond" not in following


def walked(statement: str, plan: list[str]) -> set[str]:
    """What SQLite reads from end to end, as the plan calls it, but for small tables, lists that were given, and parts
    that the statement makes itself: these read tables in lines of their own."""
    tables = {alias: table for table, alias in _ALIAS.findall(statement)}
    made = {part[1] for line in plan if (part := _MADE.match(line))}
    scanned = {scan[1] for line in plan if (scan := _SCAN.match(line))}
    return {name for name in scanned - made if tables.get(name, name) not in SMALL}


class Calls:
    """Which functions of the store that are given a connection were called."""

    def __init__(self) -> None:
        self._named = dict(_functions())
        self._left = set(self._named)

    @property
    def never(self) -> list[str]:
        return sorted(self._named[code] for code in self._left)

    @contextmanager
    def counted(self) -> Iterator[None]:
        sys.setprofile(lambda frame, _event, _argument: self._left.discard(frame.f_code))
        try:
            yield
        finally:
            sys.setprofile(None)


def _functions() -> Iterator[tuple[CodeType, str]]:
    for found in pkgutil.iter_modules(store.__path__, f"{store.__name__}."):
        if not found.ispkg:
            for name, value in vars(import_module(found.name)).items():
                function = inspect.unwrap(value) if callable(value) else None
                if not inspect.isfunction(function) or function.__module__ != found.name or name.startswith("_"):
                    continue
                if "connection" in inspect.signature(function).parameters:
                    yield function.__code__, f"{found.name}.{name}"
