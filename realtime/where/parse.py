"""A filter's text to its tree, by recursive descent.

filter     = conjunct *("or" conjunct)
conjunct   = negation *("and" negation)
negation   = *"not" ("(" filter ")" / test)
test       = field ("exists" / ["not"] "in" "(" value *("," value) ")" / operator value)
operator   = "=" / "!=" / "~" / "<" / "<=" / ">" / ">="
field      = name *("." name)
"""

from decimal import Decimal

from realtime.where.tokens import BadWhere, Token, tokens
from realtime.where.tree import (
    OWN,
    WORDS,
    AllOf,
    AnyOf,
    Comparison,
    Exists,
    Field,
    Filter,
    joined,
    negated,
    one_of,
)
from realtime.where.values import Literal

LENGTH = 500  # characters of a filter
CANONICAL = 2000  # characters of one in canonical form, which may need more
DEPTH = 20  # filters within filters
TERMS = 50  # comparisons, and values in lists

_COMPARES = ("=", "!=", "~", "<", "<=", ">", ">=")


def parse(text: str, length: int = LENGTH) -> Filter:
    """The filter that a text means. Raises BadWhere, whose message names the character where it goes wrong."""
    if len(text) > length:
        raise BadWhere(f"the filter has {len(text)} characters, at most {length} are read")
    return _Parser(list(tokens(text))).whole()


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._place = 0
        self._terms = 0

    def whole(self) -> Filter:
        tree = self._filter(0)
        if self._next.kind != "end":
            raise self._expected("and, or, or the end")
        return tree

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._next
        self._place += 1
        return token

    def _expected(self, what: str) -> BadWhere:
        token = self._next
        found = "it ends" if token.kind == "end" else f"there is {token.value[:30]!r}"
        return BadWhere(f"at character {token.at}: expected {what}, but {found}")

    def _is(self, *words: str) -> bool:
        token = self._next
        return (token.kind == "word" and token.value.lower() in words) or (
            token.kind == "sign" and token.value in words
        )

    def _met(self, word: str) -> bool:
        """Whether the next token is this word or sign; then it is taken."""
        if not self._is(word):
            return False
        self._place += 1
        return True

    def _demand(self, sign: str) -> None:
        if not self._met(sign):
            raise self._expected(sign)

    def _filter(self, depth: int) -> Filter:
        parts = [self._conjunct(depth)]
        while self._met("or"):
            parts.append(self._conjunct(depth))
        return joined(AnyOf, parts)

    def _conjunct(self, depth: int) -> Filter:
        parts = [self._negation(depth)]
        while self._met("and"):
            parts.append(self._negation(depth))
        return joined(AllOf, parts)

    def _negation(self, depth: int) -> Filter:
        self._bound_depth(depth)
        if self._met("not"):
            return negated(self._negation(depth + 1))
        if self._met("("):
            inner = self._filter(depth + 1)
            self._demand(")")
            return inner
        return self._test(depth)

    def _bound_depth(self, depth: int) -> None:
        if depth > DEPTH:
            raise BadWhere(f"at character {self._next.at}: nested deeper than {DEPTH} levels")

    def _count(self) -> None:
        self._terms += 1
        if self._terms > TERMS:
            raise BadWhere(f"at character {self._next.at}: more than {TERMS} comparisons and values")

    def _test(self, depth: int) -> Filter:
        self._count()
        field = self._field()
        if self._met("exists"):
            return Exists(field)
        if self._met("in"):
            return one_of(field, self._values())
        if self._met("not"):
            self._bound_depth(depth + 1)
            if not self._met("in"):
                raise self._expected("in")
            return negated(one_of(field, self._values()))
        return self._comparison(field, depth)

    def _comparison(self, field: Field, depth: int) -> Filter:
        if self._next.kind != "sign" or self._next.value not in _COMPARES:
            raise self._expected("exists, in, or one of " + " ".join(_COMPARES))
        by = self._take().value
        at = self._next.at
        value = self._value()
        if by == "!=":
            self._bound_depth(depth + 1)
            return negated(Comparison(field, "=", value))
        if by == "~":
            if not isinstance(value, str):
                raise BadWhere(f"at character {at}: ~ looks for a text: put it in quotes")
            value = value.casefold()
        elif by != "=" and isinstance(value, bool):
            raise BadWhere(f"at character {at}: true and false have no order: use =")
        return Comparison(field, by, value)

    def _field(self) -> Field:
        first = self._name()
        if first.kind == "word" and first.value in OWN and not self._is("."):
            return Field((first.value,), own=True)
        path = [first.value]
        while self._met("."):
            path.append(self._name().value)
        if first.kind == "word" and path[0] == "data" and len(path) > 1:
            path = path[1:]
        return Field(tuple(path))

    def _name(self) -> Token:
        token = self._next
        if token.kind == "quoted" or (token.kind == "word" and token.value.lower() not in WORDS):
            return self._take()
        raise self._expected("a field")

    def _values(self) -> list[Literal]:
        self._demand("(")
        found = [self._value()]
        while self._met(","):
            self._count()
            found.append(self._value())
        self._demand(")")
        return found

    def _value(self) -> Literal:
        token = self._next
        if token.kind == "text":
            return self._take().value
        if token.kind == "number":
            return Decimal(self._take().value)
        if self._is("true", "false"):
            return self._take().value.lower() == "true"
        raise self._expected("a value: a number, a text in quotes, true or false")
