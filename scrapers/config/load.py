"""From schedules.yaml to `Schedules`; what is wrong is said all at once, each with its line and what to do."""

import itertools
import os
import re
import types
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from scrapers.config.document import Document, KeyPath, read
from scrapers.config.model import VARIABLE_NAME, Schedules, Source
from scrapers.config.rules import broken_rules
from scrapers.config.values import decoded

_SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_WORDS = {
    f"str matching regex {VARIABLE_NAME!r}": "the NAME of an environment variable",
    "bool": "true or false",
    "int": "a whole number",
    "str": "text",
    "str of length >= 1": "text",
    "int >= 0": "a whole number from 0 on",
    "int >= 1": "a whole number from 1 on",
    "int <= 100": "a whole number up to 100",
    "array": "a list",
    "object": "a mapping",
}


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Schedules:
    """The sources of the file at `path`. Raises ConfigError, which names file, line, fault and remedy."""
    document = read(path, environ)
    if isinstance(document.value, dict):  # x-…: a place for what several sources share by alias
        document.value = {name: value for name, value in document.value.items() if not name.startswith("x-")}
    reader = _Reader(document, environ)
    schedules: Schedules | None = reader.struct(Schedules, document.value, ())
    document.check()
    assert schedules is not None
    return schedules


def suggestion(word: str, known: list[str]) -> str:
    """ "did you mean …?", or the whole choice when nothing is near."""
    near = get_close_matches(word, known, n=len(known) or 1, cutoff=0.6)
    best = max(near, key=lambda each: _likeness(word, each), default="")
    return f"did you mean {best}?" if best else f"there are {', '.join(map(_quoted, known))}"


def _likeness(word: str, other: str) -> tuple[float, int]:
    """Of words that are as alike, the one that begins alike is meant."""
    alike = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(word, other, strict=False))
    return SequenceMatcher(None, word, other).ratio(), len(list(alike))


def _quoted(word: str) -> str:
    return word if word.isalnum() else f'"{word}"'


@dataclass
class _Reader:
    document: Document
    environ: Mapping[str, str]

    def struct(self, kind: type[Any], value: Any, at: KeyPath) -> Any | None:
        """`value` as a struct of `kind`; None when something in it is wrong, which is then noted."""
        before = len(self.document.problems)
        values = self.settings(kind, value, at)
        return kind(**values) if len(self.document.problems) == before else None

    def settings(self, kind: type[Any], value: Any, at: KeyPath, but: str = "") -> dict[str, Any]:
        """The settings in `value` that are good, of those that a `kind` has `but` one; what is wrong is noted."""
        if not isinstance(value, dict):
            self.document.complain(at, f"here a mapping of settings is expected, not {_said(value)}")
            return {}
        known = {field.name: field for field in msgspec.structs.fields(kind) if field.name != but}
        for name in value.keys() - known.keys():
            self.document.complain((*at, name), f"is not a setting: {suggestion(name, list(known))}")
        for field in known.values():
            if field.required and field.name not in value:
                self.document.complain(at, f"{field.name} is missing")
        good = {}
        for name in value.keys() & known.keys():
            before = len(self.document.problems)
            read = self.value(known[name].type, value[name], (*at, name))
            if len(self.document.problems) == before:
                good[name] = read
        return good

    def value(self, kind: Any, value: Any, at: KeyPath) -> Any:
        """`value` as `kind`, mappings of ours read setting by setting so that each fault has its line."""
        inner = _struct_in(kind)
        if inner and isinstance(value, dict):
            return self.struct(inner, value, at)
        item = _item(kind)
        if item is Source and isinstance(value, dict):
            return {name: self.source(name, each, (*at, name)) for name, each in value.items()}
        if item and isinstance(value, dict):
            return {name: self.value(item, each, (*at, name)) for name, each in value.items()}
        try:
            return msgspec.convert(value, kind, strict=False, dec_hook=decoded)
        except msgspec.ValidationError as error:
            self.document.complain(at, _explained(error, kind, value))
            return None

    def source(self, name: str, value: Any, at: KeyPath) -> Source | None:
        """A source, which is told its name, and whether its settings fit together."""
        if not _SOURCE_NAME.fullmatch(name):
            self.document.complain(at, "a source's name is lower-case letters, digits, '_', '-' and '.', at most 64")
            return None
        given, before = {} if value is None else value, len(self.document.problems)
        good = self.settings(Source, given, at, but="name")
        source = Source(name=name, **good)
        wrong = set(given) - good.keys() if isinstance(given, dict) else set()
        for broken in broken_rules(source, self.environ):
            if broken.at[0] not in wrong and broken.beside not in wrong:
                self.document.complain((*at, *broken.at), broken.what)
        return source if len(self.document.problems) == before else None


def _struct_in(kind: Any) -> type[Any] | None:
    """The struct that `kind` is, or may be."""
    if get_origin(kind) is Annotated:
        return _struct_in(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        return next(filter(None, map(_struct_in, get_args(kind))), None)
    return kind if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else None


def _item(kind: Any) -> Any:
    """What a mapping of this kind holds."""
    if get_origin(kind) is Annotated:
        return _item(get_args(kind)[0])
    return get_args(kind)[1] if get_origin(kind) is dict else None


def _explained(error: msgspec.ValidationError, kind: Any, value: Any) -> str:
    text = str(error)
    if text.startswith("Invalid enum value"):
        choice = [each for each in _choices(kind) if isinstance(each, str)]
        return f"{value!r} is not possible: {suggestion(str(value), choice)}"
    if text.startswith("Expected"):
        wanted = text.replace("`", "").removeprefix("Expected ").split(", got")[0].removesuffix(" | null")
        return f"{_said(value)} is not possible: {_WORDS.get(wanted, wanted)} is expected"
    return text


def _choices(kind: Any) -> tuple[Any, ...]:
    if get_origin(kind) is Annotated:
        return _choices(get_args(kind)[0])
    return tuple(each for part in get_args(kind) for each in (_choices(part) if get_args(part) else (part,)) if each)


def _said(value: Any) -> str:
    if value is None:
        return "nothing"
    return "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else repr(value)
