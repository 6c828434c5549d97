"""Takes a copy of the database while servers run on it, or restores one. `python -m realtime.backup save FILE`"""

import os
import sys
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer
from rich.console import Console

from realtime.errors import RealtimeError
from realtime.settings import Settings
from realtime.store.copying import copy
from realtime.store.engine import migrate, open_engine, open_file

commands = typer.Typer(add_completion=False, help=__doc__, no_args_is_help=True)
Database = Annotated[str | None, typer.Option(help="Database address (PORTALWIRE_DATABASE_URL).")]


@commands.command()
def save(
    file: Annotated[Path, typer.Argument(help="A new file: a SQLite database, whatever the source is.")],
    database: Database = None,
) -> None:
    """Copy the database as it is at this moment; servers go on meanwhile."""
    try:
        _save(file, _url(database))
    except RealtimeError as error:
        raise _wrong(error) from error


@commands.command()
def restore(
    file: Annotated[Path, typer.Argument(help="What `save` made.")],
    database: Database = None,
) -> None:
    """Put a copy into an empty database, SQLite or PostgreSQL; start servers on it afterwards.

    It begins another epoch there: whoever followed the lost database is told so, and gets everything as it is now.
    """
    try:
        _restore(file, _url(database))
    except RealtimeError as error:
        raise _wrong(error) from error


def _save(file: Path, url: str) -> None:
    if file.exists():
        raise RealtimeError(f"{file} is there already: name a new file")
    source = open_engine(url, writes=False)
    unfinished = file.with_name(f"{file.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        _into(source, f"sqlite:///{unfinished}", "saved")
        _settle(unfinished)
        unfinished.rename(file)  # a copy that was interrupted is not taken for one
    finally:
        for left in (unfinished, *(unfinished.with_name(f"{unfinished.name}{end}") for end in ("-wal", "-shm"))):
            left.unlink(missing_ok=True)


def _restore(file: Path, url: str) -> None:
    if not file.is_file():
        raise RealtimeError(f"there is no file {file}")
    _into(open_file(file), url, "restored")


def _into(source: sa.Engine, url: str, done: str) -> None:
    """Copies into a database whose schema is made first, and says how far it is."""
    target = open_engine(url, writes=True)
    console = Console(stderr=True)
    try:
        migrate(target)
        with console.status("copying"):
            rows = copy(source, target)
    except sa.exc.SQLAlchemyError as error:
        raise RealtimeError(f"the copy failed: {getattr(error, 'orig', None) or error}") from error
    finally:
        source.dispose()
        target.dispose()
    console.print(f"{done}: {rows['sources']} sources, {rows['entries']:,} entries, {rows['changes']:,} changes")


def _settle(file: Path) -> None:
    """Makes a SQLite database one file, on disk."""
    engine = open_engine(f"sqlite:///{file}", writes=True)
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None, "it is connected"
        driver.execute("PRAGMA journal_mode=DELETE")
    engine.dispose()
    with file.open("rb") as written:
        os.fsync(written.fileno())


def _url(database: str | None) -> str:
    return database or Settings.read(os.environ).database_url


def _wrong(error: RealtimeError) -> typer.Exit:
    sys.stderr.write(f"portalwire: {error}\n")
    return typer.Exit(2)


if __name__ == "__main__":
    commands()
