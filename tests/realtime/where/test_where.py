"""The language of filters: what it means, what it refuses and where, and which filters are the same one."""

import random
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.where import CANONICAL, BadWhere, Subject, fields_of, parse
from realtime.where.parse import DEPTH, LENGTH, TERMS
from tests.conftest import ROOT

BEAM = {
    "name": "Beam HEB 200",
    "price": "512.40",
    "stock": 0,
    "weight": 61.3,
    "new": True,
    "ends": "2026-11-22T07:31:02Z",
    "size": {"width": 200, "unit": "mm"},
    "tags": ["steel", "Heavy", 7],
    "bids": [{"by": "ann", "euro": 5}, {"by": "bob", "euro": "7.5"}],
    "unit price": 5,
    "key": "inner",
    "note": None,
    "code": "0042",
}

TRUE = """price < 500.5 or price >= 512.4
price = 512.4
price = 512.40000
stock = 0 and not stock = 1
stock = 0.0
weight = 61.3
weight > 61.29
name ~ "beam heb"
name ~ 'HEB'
name = "Beam HEB 200"
NOT name = "beam heb 200"
topic = "steel"
key = "SKU-1"
key ~ "sku"
data.key = "inner"
`key` = "inner"
size.width > 199 and size.unit = "mm"
tags = "steel" and tags = 7 and tags ~ "heavy"
bids.euro > 7
bids.by in ("bob")
stock in (5, 0, "x")
stock not in (1, 2)
`unit price` = 5
new = true
new != false
ends >= "2026-11-22" and ends < "2026-11-23"
price exists and not note exists and not nothing exists
nothing != 5
not nothing < 5 and not nothing >= 5
code = "0042" and code = 42
(price < 500 and name ~ "beam") or not (stock > 0)""".splitlines()

FALSE = """price < 500
price = "512.4"
stock = "0"
stock = false
new = 1
new = "true"
name = "beam heb 200"
name ~ "hea 200"
name < 5
nothing = 5
nothing ~ ""
note = "null"
topic = "copper"
key = "inner"
size.width.more = 1
size = 200
size exists and size.depth exists
tags = "heavy"
weight ~ "61"
code = "42"
not price > 1 and price = 512.4""".splitlines()


def holds(where: str, data: dict[str, Any] | None = None) -> bool:
    text = msgspec.json.encode(BEAM if data is None else data).decode()
    return parse(where).holds(Subject("SKU-1", "steel", fields_of(text)))


@pytest.mark.parametrize("where", TRUE)
def test_what_holds(where: str) -> None:
    assert holds(where)


@pytest.mark.parametrize("where", FALSE)
def test_what_does_not(where: str) -> None:
    assert not holds(where)


def test_tenths_are_tenths_and_huge_numbers_are_numbers() -> None:
    assert holds("n = 0.1", {"n": 0.1})
    assert holds("n > 99999999999999999999", {"n": 1e300})
    assert holds("n > 18446744073709551614", {"n": 2**64 - 1})
    assert not holds("n = 0", {"n": "9" * 400})


@pytest.mark.parametrize(
    ("where", "at", "says"),
    [
        ("", 1, "a field"),
        ("   ", 1, "a field"),
        ("price", 6, "it ends"),
        ("price <", 8, "a value"),
        ("price < 5 and", 14, "a field"),
        ("price < 5 name = 1", 11, "and, or, or the end"),
        ("price == 5", 8, "a value"),
        ("5 = price", 1, "a field"),
        ("price = steel", 9, "a value"),
        ('name = "open', 8, "never closed"),
        ("a = 5x", 5, "no number"),
        ("a = 1 & b = 2", 7, "means nothing"),
        ("a = 1; import os", 6, "means nothing"),
        ("__import__('os')", 11, "exists, in"),
        ("a in ()", 7, "a value"),
        ("a in (1", 8, "expected )"),
        ("a not 5", 7, "expected in"),
        ("(a = 1", 7, "expected )"),
        ("a ~ 5", 5, "quotes"),
        ("a < true", 5, "no order"),
        ("and = 1", 1, "a field"),
        ("a. = 1", 4, "a field"),
        ("(" * 400 + "a = 1", DEPTH + 2, "deeper"),
        ("not " * 100 + "a = 1", 4 * (DEPTH + 1) + 1, "deeper"),
        (f"a in ({','.join('1' for _ in range(TERMS + 1))})", 107, "more than"),
    ],
)
def test_what_is_refused_and_where(where: str, at: int, says: str) -> None:
    with pytest.raises(BadWhere) as refused:
        parse(where)
    assert refused.value.message.startswith(f"at character {at}: ")
    assert says in refused.value.message
    assert refused.value.code == "bad_where"


def test_a_filter_has_a_length() -> None:
    with pytest.raises(BadWhere, match="at most 500"):
        parse("a = 1".ljust(LENGTH + 1))


@pytest.mark.parametrize(
    "same",
    [
        (
            "price < 500 and topic = 'steel'",
            'topic="steel"   AND price<500.00',
            '(topic = "steel") and ((price < 500))',
        ),
        ("a = 1 or b = 2 or c = 3", "c = 3 or (b = 2 or a = 1)", "a=1.0 or b=2 or c=3 or a=1"),
        ("a != 1", "not a = 1", "not not not a = 01"),
        ("a in (2, 1)", "a in (1, 2, 1.0)"),
        ("a in ('x')", 'a = "x"'),
        ("a not in (1, 2)", "not a in (2, 1)"),
        ("a = -0", "a = 0", "a = 0.000"),
        ("name ~ 'BEAM'", 'name ~ "beam"'),
        ("data.price = 1", "price = 1", "`price` = 1"),
        ("a = 1 and (b = 1 and c = 1)", "c = 1 and b = 1 and a = 1"),
    ],
)
def test_filters_that_say_the_same_have_one_text(same: tuple[str, ...]) -> None:
    assert len({parse(where).text for where in same}) == 1


def test_filters_that_differ_have_texts_that_differ() -> None:
    each = ["a = 1", 'a = "1"', "a < 1", "not a = 1", "a exists", "a = 1 or b = 1", "a = 1 and b = 1", "topic = 'x'"]
    each += ["data.topic = 'x'", "`a.b` = 1", "a.b = 1", "(a = 1 or b = 1) and c = 1", "a = 1 or (b = 1 and c = 1)"]
    assert len({parse(where).text for where in each}) == len(each)


_fields = st.sampled_from(
    ["price", "size.width", "key", "data.key", "`un it`", "`and`", "data.data", "größe", "in-stock"]
)
_text = st.text(max_size=8)
_numbers = st.decimals(-1000, 1000, allow_nan=False, places=2).map(lambda number: format(number, "f"))
_values = _numbers | st.sampled_from(["true", "false"]) | _text.map(lambda text: _quoted(text, '"'))


def _quoted(text: str, mark: str) -> str:
    return mark + text.replace("\\", "\\\\").replace(mark, "\\" + mark) + mark


_tests = (
    st.tuples(_fields, st.sampled_from(["=", "!="]), _values).map(" ".join)
    | st.tuples(_fields, st.sampled_from(["<", ">="]), _numbers).map(" ".join)
    | st.tuples(_fields, _text.map(lambda text: _quoted(text, "'"))).map(lambda pair: f"{pair[0]} ~ {pair[1]}")
    | st.tuples(_fields, st.lists(_values, min_size=1, max_size=3)).map(lambda p: f"{p[0]} in ({', '.join(p[1])})")
    | _fields.map(lambda field: f"{field} exists")
)
_trees: st.SearchStrategy[Any] = st.recursive(
    _tests,
    lambda inner: st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3)) | st.tuples(inner),
    max_leaves=8,
)


def _spelled(tree: Any, chance: random.Random) -> str:
    """A tree as text, its operands in any order, with more brackets and spaces than it needs."""
    if isinstance(tree, str):
        return f"({tree})" if chance.random() < 0.3 else f" {tree} "
    if len(tree) == 1:
        return f"not ({_spelled(tree[0], chance)})"
    word, parts = tree
    spelled = [f"({_spelled(part, chance)})" for part in chance.sample(parts, len(parts))]
    return f" {word.upper() if chance.random() < 0.5 else word}\n".join(spelled)


@given(
    _trees,
    st.randoms(use_true_random=False),
    st.dictionaries(st.sampled_from(["price", "un it", "key"]), st.integers(-5, 5) | _text),
)
def test_however_it_is_spelled_it_is_one_filter(tree: Any, chance: random.Random, data: dict[str, Any]) -> None:
    one, other = _spelled(tree, chance), _spelled(tree, chance)
    if max(len(one), len(other)) > LENGTH:
        return
    canonical = parse(one)
    assert parse(other).text == canonical.text
    again = parse(canonical.text, CANONICAL)
    assert again.text == canonical.text
    subject = Subject("5", None, data)
    assert again.holds(subject) == canonical.holds(subject) == parse(other).holds(subject)


@given(st.text(max_size=60) | st.text("ab.=<>!~()'\"`\\ 15,-", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        tree = parse(text)
    except BadWhere:
        return
    assert parse(tree.text, CANONICAL).text == tree.text


def test_what_docs_views_md_shows_is_read() -> None:
    page = (ROOT / "docs" / "views.md").read_text()
    table = page[page.index("| write |") : page.index("A comparison with")]
    cells = [line.split(" | ")[0] for line in table.splitlines()[2:] if line.startswith("|")]
    shown = [where for cell in cells for where in re.findall(r"``\s(.+?)\s``|`([^`]+)`", cell)]
    assert len(shown) > 14
    for where in shown:
        parse("".join(where))
