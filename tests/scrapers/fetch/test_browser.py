"""The browser's visit, with a real Chromium against the demo's portal behind a login."""

import os
import signal
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path
from threading import Thread

import msgspec
import pytest
from werkzeug.serving import make_server
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from scrapers.config import Source
from scrapers.config.values import Seconds
from scrapers.errors import (
    BrowserFailed,
    CredentialsMissing,
    FetchFailed,
    Forbidden,
    LoginWall,
    Refused,
    SelectorFailed,
    TimedOut,
    TooBig,
)
from scrapers.failures import keep
from scrapers.fetch.browser import BrowserVisit, warm_browser
from scrapers.fetch.gate import Gate
from scrapers.fetch.recorded import RecordingVisit
from scrapers.fetch.warm import WarmBrowser, Wear
from scrapers.portal import discover
from tests.conftest import eventually
from tests.faults.configurations import SQLITE
from tests.faults.table import Row, record
from tests.processes import alive

scrape = discover()["vendor_y"].scrape


@pytest.fixture
def source(sources):
    return sources["vendor_y"]


@pytest.fixture
def warm(source, tmp_path):
    with closing(warm_browser(source.start, source, tmp_path)) as browser:
        yield browser


@pytest.fixture
def visit(source, warm, tmp_path, credentials):
    """Makes visits, as runs do, each closed before the next."""

    def make(patience=8.0, environ=credentials, browser=warm):
        return closing(BrowserVisit(source.start, source, browser, tmp_path, patience=patience, environ=environ))

    return make


def read(visit):
    return {entry.key: msgspec.to_builtins(entry.data) for entry in scrape(visit)}


def test_logs_in_reads_every_page_and_sees_what_the_portal_shows(demo, visit, warm):
    for _ in range(3):
        with visit() as run:
            assert read(run) == demo.truth("vendor_y")
            assert run.pages >= 3
        demo.step(9)
    assert warm.take().pages > 9, "one browser for all three runs"


def test_session_is_kept_for_a_new_browser(demo, visit, warm):
    with visit() as run:
        run()
    warm.close()
    with visit(environ={}) as run:
        assert read(run) == demo.truth("vendor_y")


def test_logs_in_again_when_the_session_ended(demo, visit):
    with visit() as run:
        run()
        demo.mode("vendor_y", "logout")
        assert read(run) == demo.truth("vendor_y")


def test_missing_credentials_are_named(visit):
    missing = pytest.raises(CredentialsMissing, match="needs PORTALWIRE_DEMO_PASSWORD in")
    with visit(environ={"PORTALWIRE_DEMO_USER": "someone"}) as run, missing as failure:
        run()
    assert failure.value.lasting


@pytest.mark.parametrize("recorded", [False, True])
def test_wrong_password_is_a_login_wall_and_saves_what_the_portal_said(visit, credentials, tmp_path, recorded):
    wrong = credentials | {"PORTALWIRE_DEMO_PASSWORD": "guess"}
    with visit(patience=2, environ=wrong) as run:
        run = RecordingVisit(run, tmp_path / "pages") if recorded else run
        with pytest.raises(LoginWall) as failure:
            run()
        saved = Path(keep(failure.value, run, tmp_path / "failures", "run-1"))
    assert "/vendor-y/login" in failure.value.page
    assert "User or password is wrong" in saved.read_text()
    assert saved.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_table_that_is_not_drawn_names_page_selector_and_expectation(demo, visit, source):
    with visit(patience=2) as run:
        run()
        demo.mode("vendor_y", "error")
        with pytest.raises(SelectorFailed, match="within 2 s") as failure:
            run()
        assert (run.pages, run.missed) == (1, 1)
    assert (failure.value.page, failure.value.selector) == (source.start, source.wait)
    assert b"the stock service answered 500" in failure.value.body


def test_redesigned_portal_fails_loudly(demo, visit):
    demo.mode("vendor_y", "redesign")
    with visit() as run:
        with pytest.raises(SelectorFailed, match="at least 1 expected, 0 found") as failure:
            read(run)
        assert failure.value.selector == "#stock tr[data-part]"
        assert b"data-ref" in failure.value.body


def test_page_that_does_not_come_leaves_a_picture_of_the_one_before_it_and_no_copy(visit, tmp_path):
    with visit() as run:
        seen = run()
        saved = keep(TimedOut(page=f"{seen.url}?page=2"), run, tmp_path / "failures", "run-1")
    assert [file.name for file in (tmp_path / "failures").iterdir()] == ["run-1.png"] == [Path(saved).name]


def test_waits_for_what_the_scraper_asks(visit):
    with visit() as run:
        assert run(wait="#more a.next").next("#more a.next").url.endswith("?page=2&list=0")


def test_status_of_the_document_counts(demo, visit):
    with visit() as run:
        with pytest.raises(Refused, match="status 404"):
            run("/vendor-x/item/none")
        demo.mode("vendor_x", "error")
        with pytest.raises(FetchFailed, match="status 500"):
            run("/vendor-x/prices")


def test_failed_visit_ends_its_browser(visit, warm):
    with visit() as run:
        run()
        old = warm.take()
        with pytest.raises(Refused):
            run("/vendor-x/item/none")
    assert warm.take() is not old


def test_worn_browser_is_replaced_between_visits(demo, source, visit, tmp_path):
    with closing(WarmBrowser(tmp_path / "worn", Gate(source.start), wear=Wear(pages=3))) as warm:
        with visit(browser=warm) as run:
            assert read(run) == demo.truth("vendor_y")
        old = warm.take()
        assert old.pages == 0, "the first one had served its pages"
        with visit(browser=warm) as run:
            run()
        assert warm.take() is old


def test_two_browsers_of_a_source_do_not_share_a_profile(visit, source, warm, tmp_path):
    with closing(warm_browser(source.start, source, tmp_path)) as second, visit() as one, visit(browser=second) as two:
        assert one().url == two().url == source.start
    assert {path.name for path in (tmp_path / "browser/vendor_y").glob("profile-?")} == {"profile-0", "profile-1"}


def test_session_is_readable_by_us_alone(visit, tmp_path):
    with visit() as run:
        run()
    assert (tmp_path / "browser/vendor_y/cookies.json").stat().st_mode & 0o077 == 0


def test_login_without_a_configured_one_is_a_login_wall(source, visit, warm, tmp_path):
    without = msgspec.structs.replace(source, login=None)
    with closing(BrowserVisit(source.start, without, warm, tmp_path, patience=1)) as run, pytest.raises(LoginWall):
        run()


def test_browser_that_crashed_is_replaced(demo, visit, warm):
    with visit() as run:
        run()
        os.killpg(warm.take().group, signal.SIGKILL)
        with pytest.raises(BrowserFailed):
            run()
        assert run.shown() is None
    with visit() as run:
        assert read(run) == demo.truth("vendor_y")


def test_document_beyond_its_bound_is_not_taken(demo, warm):
    browser = warm.take()
    browser.open(demo.url)
    assert b"Demo portals" in browser.document(100_000)
    with pytest.raises(TooBig, match="more than 100 characters"):
        browser.document(100)


@pytest.fixture
def hostile():
    """A portal that leads elsewhere (to another name of this machine): its address, and the hosts that were asked."""
    asked = []

    @Request.application
    def answer(request):
        asked.append(request.host.split(":")[0])
        other = f"http://localhost:{request.server[1]}"
        if request.path == "/redirect":
            return redirect(f"{other}/secret")
        if request.path == "/script":
            return Response(f"<p id=here>x<script>location = '{other}/secret'</script>", content_type="text/html")
        parts = [f"<img src={other}/a.png>", f"<iframe src={other}/b></iframe>", f"<script src={other}/c.js></script>"]
        page = f"{''.join(parts)}<script>alert(1)</script><p id=here>x"
        return Response(page, content_type="text/html")

    server = make_server("127.0.0.1", 0, answer, threaded=True)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
    thread.join()


def test_other_hosts_are_never_asked(hostile, tmp_path):
    start, asked = hostile
    source = Source(name="hostile", fetch="browser", pace=Seconds(0))
    browser = warm_browser(start, source, tmp_path)
    with closing(browser), closing(BrowserVisit(start, source, browser, tmp_path, patience=2)) as run:
        assert run("/page", wait="#here").text("#here") == "x"
        for address in ("/redirect", "/script", f"{start.replace('127.0.0.1', 'localhost')}/secret"):
            with pytest.raises(Forbidden, match=r"localhost:\d+ is not one of the source's hosts"):
                run(address, wait="#never")
        for address in ("file:///etc/passwd", "chrome://version", "data:text/html,x", "http://127.0.0.2/"):
            with pytest.raises(Forbidden):
                run(address)
    elsewhere = [host for host in asked if host != "127.0.0.1"]
    record(Row("a browser that is led elsewhere", SQLITE, 9, len(elsewhere), len(asked) + 7, "requests"), elsewhere)


PARENT = """
import sys, time
from pathlib import Path
from scrapers.fetch.gate import Gate
from scrapers.fetch.warm import WarmBrowser
browser = WarmBrowser(Path(sys.argv[1]), Gate(sys.argv[2])).take()
browser.open(sys.argv[2])
print("shown", flush=True)
if sys.argv[3] == "raise":
    raise RuntimeError
time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, "raise"])
def test_nothing_is_left_when_the_scraper_ends_without_closing(how, demo, tmp_path):
    script = [sys.executable, "-c", PARENT, str(tmp_path), demo.url, str(how)]
    with subprocess.Popen(script, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        assert parent.stdout.readline() == "shown\n"
        if how != "raise":
            assert len(alive(mentions=str(tmp_path))) >= 5
            parent.send_signal(how)
        parent.wait(timeout=10)
    with suppress(pytest.fail.Exception):  # counted below
        eventually(lambda: not alive(mentions=str(tmp_path)))
    left = alive(mentions=str(tmp_path))
    record(Row(f"a scraper with a browser ends by {how!s}", SQLITE, 11, int(bool(left)), 1, "browsers"), left)


def test_nothing_is_left_after_close_even_of_a_stopped_browser(demo, tmp_path):
    warm = WarmBrowser(tmp_path, Gate(demo.url))
    browser = warm.take()
    browser.open(demo.url)
    os.killpg(browser.group, signal.SIGSTOP)
    warm.close()
    eventually(lambda: not alive(mentions=str(tmp_path)) and not alive(group=browser.group))


def test_robots_txt_is_obeyed(visit):
    with visit() as run, pytest.raises(Forbidden, match=r"robots\.txt"):
        run("/vendor-x/internal/orders")
