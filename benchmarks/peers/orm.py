"""The door as a tutorial writes it: Flask and SQLAlchemy's ORM. `python -m benchmarks.peers.orm PORT DATABASE COMMIT`

For every entry a SELECT, then an add or an update; COMMIT is `entry` (a commit each, as tutorials do) or `batch` (one
at the end, as a careful person would). Same database settings as ours: SQLite, WAL, synchronous=FULL.
"""

import sys
from typing import Any

from flask import Flask, request
from sqlalchemy import JSON, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from werkzeug.serving import WSGIRequestHandler, make_server


class Base(DeclarativeBase):
    """The tables."""


class Item(Base):
    __tablename__ = "items"

    source: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)


class Handler(WSGIRequestHandler):
    """Keeps connections open, and is silent."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nobody reads it."""


def create_app(database: str, commit: str) -> Flask:
    app = Flask(__name__)
    engine = create_engine(f"sqlite:///{database}")

    @event.listens_for(engine, "connect")
    def durable(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    Base.metadata.create_all(engine)

    @app.get("/readyz")
    def ready() -> str:
        return "ok"

    @app.post("/api/entries")
    def entries() -> dict[str, int]:
        batch = request.get_json()
        counts = {"new": 0, "changed": 0, "unchanged": 0}
        with Session(engine) as session:
            for entry in batch["entries"]:
                counts[store(session, batch["source"], entry)] += 1
                if commit == "entry":
                    session.commit()
            session.commit()
        return counts

    return app


def store(session: Session, source: str, entry: dict[str, Any]) -> str:
    """What the entry was: new, changed or unchanged."""
    item = session.get(Item, (source, entry["key"]))
    if item is None:
        session.add(Item(source=source, key=entry["key"], data=entry["data"]))
        return "new"
    if item.data == entry["data"]:
        return "unchanged"
    item.data = entry["data"]
    return "changed"


def main(port: str, database: str, commit: str) -> None:
    make_server(
        "127.0.0.1", int(port), create_app(database, commit), threaded=True, request_handler=Handler
    ).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
