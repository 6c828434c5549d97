"""How long a source rests, after what, and what ends it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scrapers.backoff import Backoff
from scrapers.config import Login, Source
from scrapers.config.values import Seconds
from scrapers.errors import (
    BotChallenge,
    BrowserMissing,
    CredentialsMissing,
    FieldMissing,
    Forbidden,
    Gone,
    Hung,
    LoginWall,
    QualityFailed,
    Refused,
    ScraperError,
    SelectorFailed,
    TimedOut,
    fault,
)
from scrapers.orders import Done

LOGIN = Login(at="/login", fields={"#user": "SHOP_USER", "#pass": "SHOP_PASSWORD"}, submit="button", until="#in")
HOUR, DAY = 3600.0, 86400.0


def shop(every: float = 10, **settings: Any) -> Source:
    return Source(name="shop", every=Seconds(every), **settings)


def failed(error: ScraperError, **more: Any) -> Done:
    return Done(exit=1, state="failed", fault=fault(error), **more)


def pauses(backoff: Backoff, source: Source, *ends: Done) -> list[float]:
    """Seconds from the end of each run to the earliest next one, 0 where the schedule decides."""
    rests = [backoff.ended(source, done, datetime.now(UTC)) for done in ends]
    return [rest.pause if rest else 0.0 for rest in rests]


@pytest.mark.parametrize("error", [CredentialsMissing, BotChallenge, Refused, Forbidden])
def test_a_portal_that_does_not_want_us_sees_two_tries(tmp_path: Path, error: type[ScraperError]) -> None:
    tries = [failed(error())] * 8
    assert pauses(Backoff(tmp_path), shop(), *tries) == [0, *(HOUR * 2**n for n in range(5)), DAY, DAY]


@pytest.mark.parametrize("error", [SelectorFailed, QualityFailed, FieldMissing, Gone, LoginWall])
def test_a_portal_that_is_not_as_expected_is_looked_at_ever_less_often(
    tmp_path: Path, error: type[ScraperError]
) -> None:
    tries = [failed(error())] * 8
    assert pauses(Backoff(tmp_path), shop(), *tries) == [40, 80, 160, 320, 640, 1280, 1800, 1800]


def test_a_slow_schedule_is_slow_enough(tmp_path: Path) -> None:
    assert pauses(Backoff(tmp_path), shop(every=HOUR), *[failed(SelectorFailed())] * 9) == [0] * 9


@pytest.mark.parametrize("error", [TimedOut, BrowserMissing, Hung])
def test_what_may_mend_itself_or_was_never_asked_is_no_reason(tmp_path: Path, error: type[ScraperError]) -> None:
    backoff = Backoff(tmp_path)
    assert pauses(backoff, shop(), *[failed(error())] * 5, Done(exit=1)) == [0] * 6
    assert backoff.of("shop") is None


def test_a_passing_fault_on_the_way_begins_the_same_rest_again(tmp_path: Path) -> None:
    ends = [LoginWall(), LoginWall(), TimedOut(), LoginWall(), SelectorFailed(), LoginWall()]
    assert pauses(Backoff(tmp_path), shop(login=LOGIN), *map(failed, ends)) == [0, HOUR, HOUR, 2 * HOUR, 40, 4 * HOUR]


@pytest.mark.parametrize("state", ["complete", "partial"])
def test_being_let_in_ends_it(tmp_path: Path, state: str) -> None:
    ends = [failed(Refused()), failed(Refused()), Done(exit=0, state=state), failed(Refused())]
    assert pauses(Backoff(tmp_path), shop(), *ends) == [0, HOUR, 0, 0]


def test_a_run_that_was_ended_by_force_may_have_sent_the_login_form(tmp_path: Path) -> None:
    by_force = [Done(exit=1, fault=fault(Hung()))] * 3
    assert pauses(Backoff(tmp_path / "a"), shop(), *by_force) == [0, 0, 0]
    assert pauses(Backoff(tmp_path / "b"), shop(login=LOGIN), *by_force) == [0, HOUR, 2 * HOUR]


def test_a_restart_does_not_forget(tmp_path: Path) -> None:
    pauses(Backoff(tmp_path), shop(), failed(BotChallenge()), failed(BotChallenge()))
    again = Backoff(tmp_path)
    assert again.rests("shop", datetime.now(UTC))
    assert not again.mended(shop())
    assert str(again.of("shop")).startswith("2 tries failed, bot_challenge: The portal asks whether")
    (tmp_path / "backoff" / "shop").write_text("{")
    assert again.of("shop") is None


def test_what_somebody_mends_ends_it(tmp_path: Path) -> None:
    scraper = tmp_path / "shop.py"
    scraper.write_text("one way")
    source, environ = shop(login=LOGIN), {"SHOP_USER": "us", "SHOP_PASSWORD": "hunter-2"}
    backoff = Backoff(tmp_path, environ)
    pauses(backoff, source, *[failed(LoginWall(), scraper=str(scraper))] * 2)
    assert not backoff.mended(source)
    assert not Backoff(tmp_path, {**environ, "OTHER": "x"}).mended(source)
    assert Backoff(tmp_path, {**environ, "SHOP_PASSWORD": "hunter-3"}).mended(source)
    assert backoff.mended(shop(login=LOGIN, hosts=["login.example"]))
    scraper.write_text("another way")
    assert backoff.mended(source)
    assert "hunter" not in (tmp_path / "backoff" / "shop").read_text()
