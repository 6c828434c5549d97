"""The hold of a source that waits for a person.

It keeps its number while runs go on to be held for the same reason, and what it would remove only shrinks: to what all
of them missed. So nobody approves more than was shown.
"""

import msgspec
import sqlalchemy as sa

from ingest_api.contract.errors import NotFound
from realtime.store.absence import Absence
from realtime.store.moments import iso
from realtime.store.schema import holds
from realtime.store.write import SourceRow


def hold(connection: sa.Connection, source: SourceRow, run_id: str, absent: Absence, as_of: int, at: int) -> int:
    """Holds a run that began at `as_of`; the number of the hold that waits from now on."""
    facts = {
        "run_id": run_id,
        "as_of": as_of,
        "present": absent.known,
        "seen": absent.known - len(absent.misses),
        "hold_above": source.hold_above,
    }
    shared = _shared(connection, source, absent)
    if shared.exceeds(source.hold_above):
        renewed = sa.update(holds).where(holds.c.id == source.hold)
        connection.execute(renewed.values(missing=_text(shared), **facts))
        assert source.hold is not None
        return source.hold
    close(connection, source, "superseded", at)
    new = sa.insert(holds).values(source=source.name, at=at, missing=_text(absent), **facts)
    source.hold = connection.execute(new.returning(holds.c.id)).scalar_one()
    return source.hold


def close(connection: sa.Connection, source: SourceRow, decision: str, at: int) -> None:
    """The hold of the source, if it has one, waits no longer."""
    if source.hold is not None:
        connection.execute(sa.update(holds).where(holds.c.id == source.hold).values(decision=decision, decided=at))
        source.hold = None


def over(hold: sa.Row[tuple[object, ...]], source: SourceRow) -> NotFound:
    """Why this hold does not wait any more."""
    if hold.decision != "superseded":
        return NotFound(f"hold {hold.id} was {hold.decision} at {iso(hold.decided)}")
    if source.hold is not None:
        return NotFound(f"runs since hold {hold.id} miss other entries: hold {source.hold} waits in its place")
    return NotFound(f"a later run saw enough: nothing of hold {hold.id} is left to decide")


def _shared(connection: sa.Connection, source: SourceRow, absent: Absence) -> Absence:
    """What the pending hold's runs and this one miss."""
    if source.hold is None:
        return Absence({}, absent.known)
    pending = connection.execute(sa.select(holds.c.missing).where(holds.c.id == source.hold)).scalar_one()
    before: list[str] = msgspec.json.decode(pending)
    return Absence({key: absent.misses[key] for key in before if key in absent.misses}, absent.known)


def _text(absent: Absence) -> str:
    return msgspec.json.encode(list(absent.misses)).decode()
