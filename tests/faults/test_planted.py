"""The counts are shown to count: each of these bugs, put in from outside, is a violation of a promise."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

from tests.conftest import eventually
from tests.faults import counts
from tests.faults.configurations import POSTGRESQL, SQLITE, configured
from tests.faults.installations import Installation
from tests.faults.power import lose_power, powered
from tests.faults.promotion import carried_over, cut_off
from tests.faults.replayed import after_all
from tests.faults.service import Service
from tests.faults.spooled import after_losses
from tests.faults.stage import SOURCE, Stage, staged
from tests.faults.streamed import by_stream
from tests.faults.test_poison import POISON, faults_of, send
from tests.faults.test_slow_client import MOST, ROOM, feed, stalled
from tests.sending import post


def broken(stage: Stage, promise: int) -> bool:
    """Whether the count found something, over more than nothing."""
    violations, counted, _ = stage.found()[promise]
    return bool(violations) and counted > 0


def test_planted_hint_dropped_and_sweep_off(tmp_path: Path) -> None:
    with staged(SQLITE, tmp_path, 0, bug="hint dropped, sweep off") as stage:
        stage.deliver(3)
        over = stage.sender.acknowledged[-1].at + counts.WITHIN
        eventually(lambda: time.monotonic() > over, what="the time is over in which it should be told")
        stage.leave()
        assert broken(stage, 5)
        assert {name for name, *_ in stage.found()[5][0]} == {"Python", "Python, history", "Node"}
        assert stage.found()[4][0] != []


def test_planted_emit_before_commit(tmp_path: Path) -> None:
    with staged(SQLITE, tmp_path, 0, fault="ahead of commit:2", bug="emit before commit") as stage:
        stage.sender.look = stage.look
        stage.deliver(4)
        stage.leave()
        assert stage.service.killed == 1
        assert broken(stage, 4)


def test_planted_acknowledge_before_commit(tmp_path: Path) -> None:
    with staged(SQLITE, tmp_path, 0, fault="ahead of commit:2", bug="acknowledge before commit") as stage:
        stage.deliver(2)
        eventually(lambda: stage.service.killed, what="it is killed")
        stage.deliver(2)
        eventually(lambda: counts.head_of(stage.database, SOURCE) >= stage.sender.acknowledged[-1].receipt["offset"])
        stage.leave()
        assert broken(stage, 1)


def test_planted_acknowledge_before_commit_at_the_redis_door(tmp_path: Path) -> None:
    """XACK before the commit, to a sender who never adds a batch again."""
    with configured(SQLITE, tmp_path, redis=True) as setup:
        assert setup.redis is not None
        way, bug = partial(by_stream, redis_url=setup.redis.url), "acknowledge before commit"
        with staged(SQLITE, tmp_path, 0, fault="ahead of commit:2", bug=bug, setup=setup, way=way) as stage:
            stage.deliver(4)
            stage.leave()
            assert stage.service.killed == 1
            assert counts.unkept(stage.sender, stage.kept) != []
            assert broken(stage, 1)


def test_planted_replay_too_far(tmp_path: Path) -> None:
    with staged(SQLITE, tmp_path, 0, bug="replay too far") as stage:
        stage.deliver(1)
        stage.another()
        stage.settle()
        assert broken(stage, 4)


def test_planted_removal_after_a_part(tmp_path: Path) -> None:
    with staged(SQLITE, tmp_path, 0, bug="removal after a part") as stage:
        stage.deliver(6)
        stage.settle()
        assert broken(stage, 7)


def test_planted_second_clock(tmp_path: Path) -> None:
    with staged(SQLITE, tmp_path, 0, bug="second clock") as stage:
        eventually(lambda: len(stage.clients[0].ticks) > 3, what="it ticks")
        stage.settle()
        assert broken(stage, 4)


def test_planted_watermark_ahead(tmp_path: Path) -> None:
    """It says that clients have what was not sent to them."""
    with staged(SQLITE, tmp_path, 0, bug="watermark ahead") as stage:
        stage.deliver(3)
        eventually(lambda: stage.clients[0].early, what="a watermark comes after the changes")
        stage.settle()
        assert broken(stage, 4)


def test_planted_synchronous_normal(tmp_path: Path) -> None:
    with powered(SQLITE, 0, tmp_path, bug="synchronous=NORMAL") as (stage, disk):
        lose_power(stage, disk, 0)
        stage.leave()
        assert broken(stage, 1)


def test_planted_folders_of_the_spool_not_synced(tmp_path: Path) -> None:
    violations, counted, _ = after_losses(0, tmp_path, "folders are not synced")[1]
    assert violations != []
    assert counted > 0


def test_planted_epoch_kept_over_a_promotion(tmp_path: Path) -> None:
    with carried_over(POSTGRESQL, 0, tmp_path, bug="epoch kept") as stage:
        stage.leave()
        assert broken(stage, 4)


def test_an_asynchronous_standby_loses_what_was_acknowledged_last(tmp_path: Path) -> None:
    """No bug of ours: what synchronous_standby_names is for, and what the count of the synchronous one would find."""
    with cut_off(POSTGRESQL, 0, tmp_path, "") as stage:
        stage.leave()
        assert counts.unkept(stage.sender, stage.kept) != []
        assert broken(stage, 1)


def test_planted_batch_id_ignored(tmp_path: Path) -> None:
    violations, counted, _ = after_all(SQLITE, 0, tmp_path, bug="batch id ignored")[2]
    assert violations != []
    assert counted > 0


def test_planted_offset_skipped(tmp_path: Path) -> None:
    with staged(SQLITE, tmp_path, 0, bug="offset skipped") as stage:
        stage.deliver(3)
        stage.leave()
        assert broken(stage, 3)


def test_planted_lagging_rule_off(tmp_path: Path) -> None:
    with serving(tmp_path, "lagging rule off") as server, ExitStack() as stack:
        post(server.url, ROOM, {"k0": {"step": -1}})
        for _ in range(3):
            stack.enter_context(closing(stalled(server)))
        assert feed(server)[1] > MOST


def test_planted_dead_letter_dropped(tmp_path: Path) -> None:
    with serving(tmp_path, "dead letter dropped") as server:
        installation = Installation(SQLITE, server)
        send(installation, "http", "poisoned", POISON["NaN"])
        assert faults_of(installation, "poisoned", 1) == ["poisoned: 0 letters for 1"]


@contextmanager
def serving(folder: Path, bug: str) -> Iterator[Service]:
    service = Service(folder, {}, bug=bug)
    service.start()
    try:
        yield service
    finally:
        service.stop()
