"""Portals are found by their files, and what is wrong with one is said plainly."""

from pathlib import Path

import pytest

from scrapers import Entry, portal
from scrapers.errors import EmptyPage, PortalError, SelectorFailed, fault
from scrapers.portal import discover

GOOD = '''"""Shop: a list."""
from scrapers import Entry, portal
from dataclasses import dataclass

@dataclass
class Thing:
    name: str

@portal({name!r}, start="https://shop.example/", parser="3")
def scrape(visit):
    yield Entry(key=visit().text("p"), data={{}})
'''


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def test_portals_are_found_by_their_files(tmp_path):
    found = discover(write(tmp_path, one=GOOD.format(name="one"), two=GOOD.format(name="two"), _help="1 / 0"))
    assert list(found) == ["one", "two"]
    one = found["one"]
    assert (one.start, one.parser, one.doc) == ("https://shop.example/", "3", "Shop: a list.")
    assert one.file == tmp_path / "one.py"


def test_a_portal_that_another_file_imports_is_found_once(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    again = "from portal_one import scrape as imported\n" + GOOD.format(name="two")
    assert list(discover(write(tmp_path, portal_one=GOOD.format(name="one"), two=again))) == ["one", "two"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import nothing_like_this", r"broken\.py does not import: ModuleNotFoundError: .*nothing_like_this"),
        ("def scrape(:", "does not import: SyntaxError"),
        ("x = 1", "holds no function with @portal"),
        (GOOD.format(name="Shop One"), "lower-case"),
        (GOOD.format(name="shop").replace("https://shop.example/", "shop.example"), "must be an address"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path, text, message):
    with pytest.raises(PortalError, match=message):
        discover(write(tmp_path, broken=text))


def test_two_portals_of_one_name(tmp_path):
    with pytest.raises(PortalError, match=r"b\.py and .*a\.py both hold a portal named 'shop'"):
        discover(write(tmp_path, a=GOOD.format(name="shop"), b=GOOD.format(name="shop")))


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(PortalError, match="no folder"):
        discover(tmp_path / "missing")


def test_the_projects_own_portals():
    assert {"vendor_x", "vendor_y"} <= set(discover())


def test_a_fault_tells_what_a_person_needs():
    error = SelectorFailed("at least 1 expected, 0 found", page="https://shop.example/", selector="tr")
    told = fault(error)
    assert (told.code, told.lasting, told.page, told.selector) == ("selector", True, "https://shop.example/", "tr")
    assert "at least 1" in told.message
    assert "fetch: browser" in fault(EmptyPage()).message
    bug = fault(ZeroDivisionError("division by zero"))
    assert (bug.code, bug.message, bug.lasting) == ("bug", "ZeroDivisionError: division by zero", True)


def test_a_portal_is_declared_where_it_stands():
    @portal("here", start="https://shop.example/")
    def scrape(visit):
        yield Entry(key="a", data={})

    assert (scrape.name, scrape.file) == ("here", Path(__file__))
    assert [entry.key for entry in scrape.scrape(None)] == ["a"]
