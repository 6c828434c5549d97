"""Takes a copy of the database while servers run on it, or restores one. `python -m realtime.backup save FILE`"""

import os
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import sqlalchemy as sa
import typer
from rich.console import Console

from realtime.errors import RealtimeError
from realtime.settings import Settings
from realtime.store.copying import copy
from realtime.store.engine import migrate, newest_version, open_engine, open_file, version_of

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
        _sync(file.parent)  # its name is on disk too
    finally:
        for left in (unfinished, *(unfinished.with_name(f"{unfinished.name}{end}") for end in ("-wal", "-shm"))):
            left.unlink(missing_ok=True)


def _restore(file: Path, url: str) -> None:
    if not file.is_file():
        raise RealtimeError(f"there is no file {file}")
    with TemporaryDirectory(prefix="portalwire-") as folder:
        _into(open_file(_newest(file, Path(folder))), url, "restored")


def _newest(file: Path, folder: Path) -> Path:
    """The file, or what this version makes of it, in the folder, where an earlier one saved it."""
    saved = open_file(file)
    try:
        if version_of(saved) == newest_version():
            return file
    finally:
        saved.dispose()
    copied = folder / "copy"
    shutil.copyfile(file, copied)
    engine = open_engine(f"sqlite:///{copied}", writes=True)
    migrate(engine)
    engine.dispose()
    return copied


def _into(source: sa.Engine, url: str, done: str) -> None:
    """Copies into a database whose schema is made first, and says how far it is."""
    target = open_engine(url, writes=True)
    console = Console(stderr=True)
    try:
        # servers of an earlier version may run on what is saved: it is left as it is
        migrate(target, version_of(source))
        with console.status("copying"):
            rows = copy(source, target)
        migrate(target)
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
    _sync(file)


def _sync(path: Path) -> None:
    """Sees that a file, or the names in a folder, are on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _url(database: str | None) -> str:
    return database or Settings.read(os.environ).database_url


def _wrong(error: RealtimeError) -> typer.Exit:
    sys.stderr.write(f"portalwire: {error}\n")
    return typer.Exit(2)


if __name__ == "__main__":
    commands()
