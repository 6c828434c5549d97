"""Pages that look fine but are not, and good pages that only look suspicious."""

import pytest

from scrapers import lookalike
from scrapers.errors import BotChallenge, EmptyPage, LoginWall
from tests.scrapers.pages import URL, page

FORM = "<form><input name=user><input type=password name=pw><button>Go</button></form>"
LISTING = "<h1>Prices</h1><table>" + "<tr><td>Beam<td>512.40" * 20 + "</table>"
PROSE = "<p>" + "Our terms of delivery in many words. " * 60


@pytest.mark.parametrize(
    "text",
    [
        LISTING,
        LISTING + FORM,
        f"<header>Sign in {FORM}</header>" + LISTING,
        "<title>Sign in or browse</title>" + FORM + LISTING,
        LISTING + '<div class="g-recaptcha"></div>',
        LISTING + '<script src="/_Incapsula_Resource?x"></script>',
        PROSE + FORM,
        PROSE + "<script>window._cf_chl_opt</script>",
        "<p>No entries today.",
        "<table></table>",
        "<rss></rss>",
    ],
)
def test_no_false_alarm(text):
    lookalike.check(page(text), URL)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("<h1>Login</h1>" + FORM, URL),
        ("<title>Anmelden</title>" + PROSE + FORM, URL),
        (FORM, URL),
        (PROSE + FORM, "https://shop.example/account/login?next=/list/page"),
        ('<INPUT TYPE="PASSWORD">', URL),
    ],
)
def test_a_login(text, url):
    with pytest.raises(LoginWall, match="login") as caught:
        lookalike.check(page(text, url), URL)
    assert caught.value.page == url


def test_a_login_that_was_asked_for_is_fine():
    lookalike.check(page(FORM, "https://shop.example/login"), "https://shop.example/login")


@pytest.mark.parametrize(
    "text",
    [
        "<title>Just a moment...</title><script>window._cf_chl_opt={a:1}</script>",
        "<p>Press and hold</p><div id=px-captcha></div>",
        "<p>Are you a robot?</p><div class=h-captcha></div>",
        '<iframe src="/_Incapsula_Resource?incident">Request unsuccessful.</iframe>',
    ],
)
def test_a_challenge(text):
    with pytest.raises(BotChallenge):
        lookalike.check(page(text), URL)


@pytest.mark.parametrize(
    "text",
    ["", " \n ", "<html></html>", "<title>Shop</title><div id=root></div><noscript>Enable JavaScript</noscript>"],
)
def test_nothing(text):
    with pytest.raises(EmptyPage, match="fetch: browser"):
        lookalike.check(page(text), URL)
