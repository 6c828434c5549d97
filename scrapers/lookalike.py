"""Pages that look fine but are not: a login, a bot challenge, an empty shell.

They answer 200 and parse well, and taken for a listing they would say that every entry has vanished. The signs are
chosen so that a good page is never refused: a listing may have a login form in its corner, or mention captchas.
"""

import re
from urllib.parse import urlsplit

from scrapers.errors import BotChallenge, EmptyPage, LoginWall
from scrapers.page import Page

LITTLE_TEXT = 1_500  # characters; a challenge or a login says less, most listings more
HARDLY_ANY_TEXT = 400  # characters
FEW_ITEMS = 5  # rows, list items

_LOGIN_PATH = re.compile(r"(?:^|[/._-])(?:log-?in|log-?on|sign-?in|signon|auth|sso)(?:$|[/._-])", re.IGNORECASE)
_LOGIN_TITLE = re.compile(
    r"\b(?:log ?in|log ?on|sign ?in|anmelden|anmeldung|connexion|iniciar sesi[oó]n)\b", re.IGNORECASE
)
_PASSWORD = "input[type=password i]"
_TITLES = "title, h1"
_ITEMS = "tr, li, dd, article"
_SHOWN = ("a[href]", "img", "table", "li", "iframe", "frame", "form", "input")
_UNSEEN = "body noscript"
_ASKED = (_PASSWORD, _TITLES, _ITEMS, *_SHOWN, "body", _UNSEEN)
_CHALLENGES = (  # only challenges carry these
    b"_cf_chl_opt",
    b"cf-browser-verification",
    b"px-captcha",
    b"captcha-delivery.com",
    b"awsWafCookieDomainList",
    b"/_sec/cp_challenge/",
)
_WIDGETS = (b"_Incapsula_Resource", b"h-captcha", b"g-recaptcha", b"cf-turnstile")  # good pages may carry these too


def check(page: Page, asked_for: str) -> None:
    """Raises EmptyPage, BotChallenge or LoginWall when the page that came for `asked_for` is one of these."""
    if not page.body.strip():
        raise EmptyPage(page=page.url)
    if page.is_xml:
        return
    if is_challenge(page):
        raise BotChallenge(page=page.url)
    page = page.quick(_ASKED)
    if page.has(_PASSWORD) and _wants_login(page, asked_for):
        raise LoginWall(page=page.url)
    if not _shows_anything(page):
        raise EmptyPage(page=page.url)


def is_challenge(page: Page) -> bool:
    """Whether the page carries a known bot challenge and hardly anything else."""
    page = page.quick(_ASKED)
    if page.says(LITTLE_TEXT):
        return False
    if any(sign in page.body for sign in _CHALLENGES):
        return True
    widget = any(sign in page.body for sign in _WIDGETS)
    return widget and not page.says(HARDLY_ANY_TEXT) and len(page.all(_ITEMS)) < FEW_ITEMS


def _wants_login(page: Page, asked_for: str) -> bool:
    if _LOGIN_PATH.search(urlsplit(asked_for).path):
        return False  # somebody asked for it
    if _LOGIN_PATH.search(urlsplit(page.url).path):
        return True
    titled = any(_LOGIN_TITLE.search(title.text(default="")) for title in page.all(_TITLES))
    bare = not page.says(LITTLE_TEXT)
    return len(page.all(_ITEMS)) < FEW_ITEMS and (titled or bare)


def _shows_anything(page: Page) -> bool:
    if any(page.has(selector) for selector in _SHOWN):
        return True
    text = page.text("body", default="")
    for unseen in page.all(_UNSEEN):
        text = text.replace(unseen.text(default=""), "")
    return bool(text.strip())
