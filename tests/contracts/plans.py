"""Looks at the plan of every statement while it runs, on either database: what it reads beside what it needs."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

LARGE = ("entries", "changes", "batches", "runs", "dead_letters", "holds", "numbers", "candles", "notes", "activity")
LARGE += ("presence",)
WASTED = 500  # rows that a statement may look at for nothing: as many as a page or a piece has
_ROWS = re.compile(r"Rows Removed by (?:Filter|Index Recheck|Join Filter): (\d+)")
_WALK = re.compile(r"(?:Seq|Index|Index Only) Scan.* on (\w+)")


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
        if any(re.match(rf"SCAN ({'|'.join(LARGE)})\b", line) for line in plan):
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
        return statement.split()[0] in ("SELECT", "INSERT", "UPDATE", "DELETE")

    @staticmethod
    def _is_walk(plan: list[str], number: int) -> bool:
        """A table read in whole: one after the other, or through an index without a condition on it."""
        scan = _WALK.search(plan[number])
        if scan is None or scan[1] not in LARGE:
            return False
        following = plan[number + 1] if number + 1 < len(plan) else ""
        return "Seq Scan" in plan[number] or "Index Cond" not in following
