"""schedules.yaml: what is wrong is said with its line and what to do; nothing in it can hang the reader."""

from pathlib import Path

import pytest

from scrapers.config import load
from scrapers.config.document import MAX_BYTES
from scrapers.errors import ConfigError

GOOD = """\
x-shared: &shared
  every: 1m30s
  removal: {misses: 3, hold_above: 25%}
sources:
  vendor_x:
    <<: *shared
    title: ${TITLE:-Vendor X}
    jitter: 5s
    pace: ${PACE}
    expect: {at_least: 20, required: [name, price]}
    show: {price: {unit: EUR}}
    lead: name
  vendor_y:
    cron: "*/5 8-18 * * MON-FRI"
    timezone: Europe/Berlin
    fetch: browser
    login: {at: /login, fields: {"#user": VENDOR_Y_USER}, submit: button, until: .account}
  courts:
    start: https://courts.example/opinions
    every: 1h
    fields:
      rows: tr
      key: {selector: a, attribute: href}
      url: a
      fields: {title: a, decided: {selector: .date, type: date, order: MDY}}
  by_hand:
"""


def problems(tmp_path: Path, text: str) -> list[str]:
    """What `load` says of `text`, without the path."""
    path = tmp_path / "schedules.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    return [problem.removeprefix(f"{path}:") for problem in caught.value.problems]


def source(setting: str) -> str:
    return f"sources:\n  vendor_x:\n    {setting}\n"


def test_a_good_file(tmp_path: Path) -> None:
    path = tmp_path / "schedules.yaml"
    path.write_text(GOOD)
    sources = load(path, {"PACE": "250ms"}).sources
    assert list(sources) == ["vendor_x", "vendor_y", "courts", "by_hand"]
    vendor_x = sources["vendor_x"]
    assert (vendor_x.every, vendor_x.jitter, vendor_x.pace, vendor_x.limit) == (90, 5, 0.25, 300)
    assert vendor_x.removal.hold_above == 0.25
    assert sources["courts"].fields is not None
    info = vendor_x.info()
    assert (info.title, info.schedule, info.every, info.stale_after) == ("Vendor X", "every 1m30s", 90, 270)
    assert info.expect == "at least 20, required: name, price"
    assert sources["vendor_y"].info().schedule == "*/5 8-18 * * MON-FRI Europe/Berlin"
    assert sources["by_hand"].info().schedule == "by hand"


@pytest.mark.parametrize(
    ("setting", "line", "said"),
    [
        ("evry: 30s", 3, "sources.vendor_x.evry: is not a setting: did you mean every?"),
        ("every: fast", 3, "sources.vendor_x.every: 'fast' is not a duration: write \"30s\""),
        ("every: 500ms", 3, "less than a second"),
        ("fetch: brwser", 3, "'brwser' is not possible: did you mean browser?"),
        ("robots: no", 3, "'no' is not possible: true or false is expected"),
        ("expect: {at_least: many}", 3, "'many' is not possible: a whole number is expected"),
        ("expect: {at_least: -1}", 3, "-1 is not possible: a whole number from 0 on is expected"),
        ("expect: {required: name}", 3, "'name' is not possible: a list is expected"),
        ("expect: 20", 3, "20 is not possible: a mapping is expected"),
        ("removal:\n      hold_above: 150%", 4, "'150%' is more than everything"),
        ("removal:\n      misses: 2\n      misses: 3", 5, "misses stands here a second time"),
        ('cron: "0 25 * * *"', 3, "'0 25 * * *' is no cron line (bad hour)"),
        ('cron: "0 0 30 2 *"', 3, "is no cron line"),
        ("cron: */5 * * * *", 3, "put it in quotes"),
        ('every: 1m\n    cron: "0 9 * * 1"', 4, "stands beside every"),
        ("aggregate: {field: a, windows: [1m, 60s]}", 3, "the same length twice"),
        ("timezone: Europe/Berln", 3, "'Europe/Berln' is no time zone: did you mean Europe/Berlin?"),
        ("timezone: ../etc/passwd", 3, "is no time zone"),
        ("title: ${NOT_SET}", 3, "the environment has no NOT_SET"),
        ("login: {at: /, fields: {}, submit: b, until: a}", 3, "needs a browser"),
        ("login: {at: /, fields: {a: secret}, submit: b, until: a}", 3, "the NAME of an environment variable"),
        ("login: {at: /}", 3, "submit is missing"),
        ("fields: {rows: tr, key: a, fields: {}}", 2, "start: is missing"),
        ("fields: {rows: tr, key: {selecter: a}, fields: {}}", 3, "key.selecter: is not a setting: did you mean s"),
        ("title: [a\n", 5, "is not YAML"),
        ('wait: "p["\n    fetch: browser', 3, "wait: 'p[' is no CSS selector"),
        ("start: ftp://x/y", 3, "start: 'ftp://x/y' is no address of a page: it begins with http:// or https://"),
        ("start: not a url", 3, "is no address of a page"),
        ("deliver: redis", 3, "deliver: redis needs PORTALWIRE_REDIS_URL"),
        ("fields: {decimal: ';'}", 3, "decimal: is not a setting"),
        ("login: 3", 3, "login: 3 is not possible: a mapping is expected"),
        ("every: 1m\n     cron: x", 4, "is not YAML: mapping values are not allowed here"),
        ("timezone: Europe/Berln\n    evry: 1h", 3, "'Europe/Berln' is no time zone"),
        ("timezone: Europe/Berln\n    evry: 1h", 4, "evry: is not a setting"),
        ("show: &s {price: &p {x: *p}}", 3, "*p stands inside of &p"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_line_and_what_to_do(tmp_path: Path, setting: str, line: int, said: str) -> None:
    found = problems(tmp_path, source(setting))
    assert any(each.startswith(f"{line}:") and said in each for each in found), found


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("rows: 'table tr.item:not(.m'", "fields.rows: 'table tr.item:not(.m' is no CSS selector: "),
        ("next: 'a[rel'", "fields.next: 'a[rel' is no CSS selector: "),
        ("key: '.name['", "fields.key: '.name[' is no CSS selector: "),
        ("topic: {selector: '.name['}", "fields.topic.selector: '.name[' is no CSS selector: "),
        ("fields: {a.b: {selector: '>'}}", "fields.fields.a.b.selector: '>' is no CSS selector"),
        ("fields: {d: {format: '%Q'}}", "fields.fields.d.format: '%Q' is no form of a date"),
        ("fields: {d: {format: '%d %B'}}", "fields.fields.d.format: '%d %B' leaves out the year"),
        ("fields: {d: {languages: [xx]}}", "fields.fields.d.languages: 'xx' is no language"),
        ("fields: {d: {order: MDX}}", "fields.fields.d.order: 'MDX' is not possible: did you mean MDY?"),
        ("fields: {d: {decimal: ';'}}", 'fields.fields.d.decimal: \';\' is not possible: there are ".", ","'),
    ],
)
def test_a_fault_in_the_selectors_is_named(tmp_path: Path, given: str, said: str) -> None:
    listing = {"rows": "rows: tr", "key": "key: a", "fields": "fields: {a: b}"} | {given.partition(":")[0]: given}
    lines = "".join(f"      {line}\n" for line in listing.values())
    [found] = problems(tmp_path, source(f"start: http://a.example/\n    fields:\n{lines}"))
    assert found.startswith(f"{5 + list(listing).index(given.partition(':')[0])}: sources.vendor_x.{said}")


def test_what_only_browsers_know_is_left_to_them(tmp_path: Path) -> None:
    path = tmp_path / "schedules.yaml"
    path.write_text(source('fetch: browser\n    wait: "#menu:popover-open"'))
    assert load(path, {}).sources["vendor_x"].wait


def test_what_hangs_on_a_faulty_setting_is_not_told_beside_it(tmp_path: Path) -> None:
    [found] = problems(tmp_path, source("fetch: brwser\n    wait: p"))
    assert "did you mean browser?" in found


def test_all_faults_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = "sources:\n  one: {evry: 1}\n  two: {limit: long}\n  Three: {}\nportal: []\n"
    assert [each.split(":")[0] for each in problems(tmp_path, text)] == ["2", "3", "4", "5"]


def test_a_bomb_of_aliases(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    [said] = problems(tmp_path, "\n".join(lines))
    assert "an alias that grows without end" in said


@pytest.mark.parametrize("text", ["[" * 20_000, "sources: " + "{a: " * 5000, "- " * 20_000])
def test_nesting_without_end(tmp_path: Path, text: str) -> None:
    [said] = problems(tmp_path, text)
    assert said.startswith("1:")


def test_a_huge_a_missing_and_an_unreadable_file(tmp_path: Path) -> None:
    [said] = problems(tmp_path, "#" * (MAX_BYTES + 1))
    assert "is larger than" in said
    for path, what in ((tmp_path / "none.yaml", "there is no such file"), (tmp_path, "Is a directory")):
        with pytest.raises(ConfigError, match=what):
            load(path)
    (tmp_path / "latin").write_bytes(b"sources:\n  x:\n    title: caf\xe9\n")
    with pytest.raises(ConfigError, match="latin:3: is not UTF-8"):
        load(tmp_path / "latin")


def test_a_tag_makes_no_object(tmp_path: Path) -> None:
    path = tmp_path / "schedules.yaml"
    path.write_text("sources:\n  vendor_x:\n    title: !!python/object/apply:os.system [exit]\n")
    with pytest.raises(ConfigError, match="text is expected"):
        load(path)


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n", "text\n"])
def test_no_mapping(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, text)
