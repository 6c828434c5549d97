"""HttpVisit against a real server that drips, bombs, redirects, revalidates and asks to wait."""

import gzip
import resource
import socket
import time
import zlib
from email.utils import formatdate

import pytest

from scrapers.errors import (
    BotChallenge,
    EmptyPage,
    FetchFailed,
    Forbidden,
    Gone,
    LoginWall,
    Refused,
    ScraperError,
    TimedOut,
    TooBig,
)
from scrapers.fetch.http import HttpVisit
from scrapers.fetch.limits import Limits, Politeness
from tests.scrapers.web import html

QUICK = Limits(connect=1, read=1, total=2, size=200_000, attempts=2, backoff=0.01, patience=1)
ROWS = "<table>" + "<tr><td>row" * 20 + "</table>"


@pytest.fixture
def visit(web, tmp_path):
    """Makes visits of the test's server; they are closed at the end."""
    made = []

    def make(path="/", *, limits=QUICK, pace=0.0, **politeness):
        new = HttpVisit("shop", web.url + path, tmp_path, limits=limits, politeness=Politeness(pace=pace, **politeness))
        made.append(new)
        return new

    yield make
    for each in made:
        each.close()


def test_the_start_page_and_relative_addresses(web, visit):
    web.pages["/list/1"] = html('<p>one<a rel=next href="2">next</a>')
    web.pages["/list/2"] = html("<p>two")
    fetch = visit("/list/1")
    first = fetch()
    assert (first.text("p"), first.url, fetch.last) == ("one next".replace(" ", ""), f"{web.url}/list/1", first)
    second = first.next("a[rel=next]")
    assert second.text("p") == "two"
    assert second.next("a[rel=next]") is None
    assert fetch("1").url == f"{web.url}/list/1"
    assert (fetch.pages, fetch.missed) == (3, 0)


def test_says_who_is_asking(web, visit):
    web.pages["/"] = html(ROWS)
    visit()()
    assert web.log[0].headers["User-Agent"].startswith("Portalwire/")


def test_the_encoding_of_the_header_wins_and_latin1_is_read_as_browsers_do(web, visit):
    web.pages["/"] = lambda request: request.send(
        "<meta charset=utf-8><p>“Größe”".encode("windows-1252"), Content_Type="text/html; charset=ISO-8859-1"
    )
    assert visit()().text("p") == "“Größe”"


def test_an_unchanged_page_is_asked_for_and_not_sent_again(web, visit):
    def page(request):
        if request.headers.get("If-None-Match") == '"v1"':
            request.send(status=304, ETag='"v1"')
        else:
            request.send(b"<p>first", ETag='"v1"')

    web.pages["/"] = page
    first = visit()()
    again = visit()()  # another run
    assert (first.text("p"), again.text("p")) == ("first", "first")
    assert again.fetched_at > first.fetched_at
    assert [asked.headers.get("If-None-Match") for asked in web.log] == [None, '"v1"']


def test_a_changed_page_is_never_served_from_memory(web, visit):
    texts = iter(["one", "two", "three"])
    web.pages["/"] = lambda request: request.send(
        f"<p>{next(texts)}".encode(), Last_Modified=formatdate(0, usegmt=True), Cache_Control="max-age=3600"
    )
    assert [visit()().text("p") for _ in range(3)] == ["one", "two", "three"]
    assert web.log[2].headers["If-Modified-Since"] == formatdate(0, usegmt=True)


def test_a_page_not_to_be_stored_is_not_stored(web, visit):
    web.pages["/"] = html(ROWS, ETag='"v1"', Cache_Control="no-store")
    visit()(), visit()()
    assert "If-None-Match" not in web.log[1].headers


@pytest.mark.parametrize("length", [True, False])
def test_a_body_that_drips_ends_at_the_total_deadline(web, visit, length):
    def drip(request):
        request.send_response(200)
        request.send_header("Content-Type", "text/html")
        request.send_header("Content-Length", "100000") if length else request.send_header("Connection", "close")
        request.end_headers()
        while not web.stopping.wait(0.02):
            request.wfile.write(b"<p>drip</p>")

    web.pages["/"] = drip
    began = time.monotonic()
    with pytest.raises(TimedOut, match=r"not complete after 0\.3 s"):
        visit(limits=Limits(read=1, total=0.3, attempts=1))()
    assert time.monotonic() - began < 2


def test_headers_that_drip_end_at_the_total_deadline(web, visit):
    def drip(request):
        request.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        while not web.stopping.wait(0.02):
            request.wfile.write(b"x")

    web.pages["/"] = drip
    with pytest.raises(TimedOut):
        visit(limits=Limits(read=1, total=0.3, attempts=1))()


def test_silence_ends_at_the_read_deadline(web, visit):
    web.pages["/"] = lambda request: web.stopping.wait(5)
    with pytest.raises(TimedOut):
        visit(limits=Limits(read=0.1, total=3, attempts=1))()


@pytest.mark.parametrize("chunked", [True, False])
def test_a_bomb_stays_small(web, visit, chunked):
    squeezer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(squeezer.compress(b"<p>" + b" " * 1_000_000) for _ in range(150)) + squeezer.flush()

    def drop(request):
        request.send_response(200)
        request.send_header("Content-Encoding", "gzip")
        if not chunked:
            request.send_header("Content-Length", str(len(bomb)))
            request.end_headers()
            request.wfile.write(bomb)
            return
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        request.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(bomb), bomb))

    web.pages["/"] = drop
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(TooBig, match="more than 200000 bytes"):
        visit(limits=Limits(size=200_000, attempts=1))()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000  # KiB


def test_a_long_body_is_not_even_begun(web, visit):
    web.pages["/"] = html("x" * 300_000)
    with pytest.raises(TooBig, match="300000 bytes"):
        visit()()


def test_gzip_is_read(web, visit):
    web.pages["/"] = lambda request: request.send(gzip.compress(b"<p>hi"), Content_Encoding="gzip", ETag='"g"')
    assert visit()().text("p") == "hi"


def test_a_body_that_ends_too_early_is_no_page(web, visit):
    def cut(request):
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b"<table><tr><td>1")
        request.close_connection = True

    web.pages["/"] = cut
    fetch = visit()
    with pytest.raises(FetchFailed):
        fetch()
    assert (fetch.pages, fetch.missed, len(web.log)) == (0, 1, 2)


def test_a_passing_trouble_is_tried_again(web, visit):
    states = iter([503, 500, 200])
    web.pages["/"] = lambda request: request.send(ROWS.encode(), next(states))
    visit(limits=Limits(attempts=3, backoff=0.01))()
    assert len(web.log) == 3


def test_retry_after_is_waited_for(web, visit):
    states = iter([429, 200])
    web.pages["/"] = lambda request: request.send(ROWS.encode(), next(states), Retry_After="1")
    visit(limits=Limits(attempts=2, patience=3))()
    assert web.log[1].at - web.log[0].at >= 1


def test_no_request_falls_into_a_long_retry_after_not_even_of_another_run(web, visit):
    web.pages["/"] = lambda request: request.send(status=503, Retry_After="3600")
    with pytest.raises(FetchFailed, match="asks us to wait 3600 s"):
        visit()()
    with pytest.raises(FetchFailed, match="asks us to wait"):
        visit()()
    assert len(web.log) == 1


@pytest.mark.parametrize(("status", "error"), [(404, Gone), (403, Refused), (410, Gone), (418, FetchFailed)])
def test_a_refusal_is_not_tried_again(web, visit, status, error):
    web.pages["/"] = lambda request: request.send(ROWS.encode(), status)
    with pytest.raises(FetchFailed, match=f"answers {status}") as caught:
        visit()()
    assert type(caught.value) is error
    assert len(web.log) == 1


def test_a_redirect_to_another_host_goes_nowhere(web, other_web, visit):
    other_web.pages["/"] = html(ROWS)
    web.pages["/"] = lambda request: request.send(status=302, Location=other_web.url + "/")
    with pytest.raises(Forbidden, match="not one of the source's hosts"):
        visit()()
    assert other_web.log == []
    assert visit(hosts=(other_web.url.removeprefix("http://"),))().url == other_web.url + "/"


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://127.0.0.1/", "javascript:alert(1)", "http://[::1"])
def test_a_redirect_out_of_the_web_goes_nowhere(web, visit, place):
    web.pages["/"] = lambda request: request.send(status=302, Location=place)
    with pytest.raises((Forbidden, FetchFailed)):
        visit()()


def test_redirects_do_not_go_on_for_ever(web, visit):
    web.pages["/"] = lambda request: request.send(status=302, Location="/")
    with pytest.raises(FetchFailed, match="more than 10 redirects"):
        visit()()


def test_a_name_that_leads_into_our_network_is_refused(web, tmp_path):
    port = web.url.rpartition(":")[2]
    fetch = HttpVisit(
        "shop", f"http://2130706433:{port}/", tmp_path, limits=QUICK, politeness=Politeness(pace=0, robots=False)
    )  # 127.0.0.1 in a disguise that only the resolver sees through
    with pytest.raises(Forbidden, match="inside a private network"):
        fetch()
    fetch.close()
    assert web.log == []


def test_robots_are_obeyed(web, visit):
    web.pages["/robots.txt"] = html("User-agent: *\nDisallow: /secret\n", Content_Type="text/plain")
    web.pages["/secret/list"] = html(ROWS)
    web.pages["/jump"] = lambda request: request.send(status=302, Location="/secret/list")
    web.pages["/open"] = html(ROWS)
    for path in ("/secret/list", "/jump"):
        with pytest.raises(Forbidden, match=r"robots\.txt"):
            visit(path)()
    visit("/open")()
    assert [asked.path for asked in web.log] == ["/jump", "/open"]
    visit("/secret/list", robots=False)()


@pytest.mark.parametrize("status", [304, 429, 500, 501, 520])
def test_a_host_whose_robots_cannot_be_read_is_left_alone(web, visit, status):
    web.pages["/robots.txt"] = lambda request: request.send(status=status)
    web.pages["/"] = html(ROWS)
    for _ in range(2):  # that it could not be read is not remembered as rules
        with pytest.raises(FetchFailed) as caught:
            visit()()
        assert caught.value.page == f"{web.url}/robots.txt"
    assert web.log == []


def test_requests_to_a_host_are_spaced(web, visit):
    web.pages["/"] = html(ROWS)
    one, other = visit(pace=0.2, robots=False), visit(pace=0.2, robots=False)
    one(), other(), one()
    moments = [asked.at for asked in web.log]
    assert moments[1] - moments[0] > 0.15
    assert moments[2] - moments[1] > 0.15


@pytest.mark.parametrize(
    ("page", "error"),
    [
        ("", EmptyPage),
        ("<html><body><div id=app></div><noscript>Turn JavaScript on.</noscript></body></html>", EmptyPage),
        ("<title>Just a moment...</title><script>window._cf_chl_opt={}</script><p>Checking", BotChallenge),
        ("<h1>Sign in</h1><form><input name=u><input type=password name=p></form>", LoginWall),
    ],
)
def test_pages_that_look_fine_but_are_not(web, visit, page, error):
    web.pages["/"] = html(page)
    fetch = visit()
    with pytest.raises(error):
        fetch()
    assert (fetch.pages, fetch.missed) == (0, 1)


def test_a_challenge_is_told_from_a_refusal(web, visit):
    web.pages["/"] = lambda request: request.send(b"<p>no", 403, cf_mitigated="challenge")
    with pytest.raises(BotChallenge):
        visit()()


def test_what_is_no_page_is_refused(web, visit):
    web.pages["/"] = html("%PDF", Content_Type="application/pdf")
    with pytest.raises(FetchFailed, match="application/pdf"):
        visit()()


def test_nobody_there(tmp_path, web):
    address = web.url
    web.stop()
    fetch = HttpVisit("shop", address + "/", tmp_path, limits=QUICK, politeness=Politeness(pace=0))
    with pytest.raises(ScraperError):
        fetch()
    fetch.close()


def test_a_tls_handshake_that_never_ends_is_cut_too(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        limits = Limits(connect=10, read=10, total=0.3, attempts=1)
        fetch = HttpVisit("shop", start, tmp_path, limits=limits, politeness=Politeness(pace=0, robots=False))
        with pytest.raises(TimedOut, match=r"after 0\.3 s"):
            fetch()
        fetch.close()


def test_a_crawl_delay_is_kept(web, visit):
    web.pages["/robots.txt"] = html("User-agent: *\nCrawl-delay: 0.3\n", Content_Type="text/plain")
    web.pages["/"] = html(ROWS)
    fetch = visit()
    fetch(), fetch()
    assert web.log[1].at - web.log[0].at > 0.25


def test_robots_are_remembered_between_runs(web, visit):
    asked = []

    def robots(request):
        asked.append(request.path)
        request.send(b"User-agent: *\nAllow: /\n", Content_Type="text/plain")

    web.pages["/robots.txt"] = robots
    web.pages["/"] = html(ROWS)
    visit()(), visit()()
    assert len(asked) == 1
    visit(robots_age=0)()
    assert len(asked) == 2


def test_memory_has_an_end(web, visit, tmp_path):
    web.pages["/"] = html(ROWS, ETag='"v1"')
    fetch = visit(limits=Limits(memory=1))
    fetch()
    fetch.close()
    visit()()
    assert [asked.headers.get("If-None-Match") for asked in web.log] == [None, None]


def test_a_refusal_of_another_kind_than_a_page_is_a_refusal(web, visit):
    web.pages["/"] = lambda request: request.send(b"\0", 404, Content_Type="application/octet-stream")
    with pytest.raises(Refused, match="404"):
        visit()()
