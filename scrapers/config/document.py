"""A YAML file as plain values that remember their lines; bounded, so that no file can hang or fill the machine."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from scrapers.config.aliases import within_itself
from scrapers.errors import ConfigError

MAX_BYTES = 128 * 1024
MAX_VALUES = 50_000  # after aliases are followed
MAX_DEPTH = 20

KeyPath = tuple[str | int, ...]
_UNQUOTED_CRON = re.compile(r"\bcron:\s*[*@%]")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


@dataclass
class Document:
    """`value` is made of dict, list, str, int, float, bool and None; `lines` says where each of them begins."""

    path: Path
    value: Any = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def complain(self, at: KeyPath, what: str) -> None:
        """Note what is wrong with the value at `at`, or with the nearest that has a line."""
        near = next((at[:end] for end in range(len(at), -1, -1) if at[:end] in self.lines), ())
        where = ".".join(str(part) for part in at)
        self.problems.append((self.lines.get(near, 1), f"{where}: {what}" if where else what))

    def check(self) -> None:
        """Raise what was noted, all of it, in the order of the file."""
        if self.problems:
            raise ConfigError([f"{self.path}:{line}: {what}" for line, what in sorted(set(self.problems))])


def read(path: Path, environ: Mapping[str, str]) -> Document:
    """The file at `path`, with `${NAME}` and `${NAME:-default}` filled in. Raises ConfigError."""
    document = Document(path)
    tree = _parsed(path, _content(path))
    document.value = _Walk(document, environ).plain(tree, (), 1, 0)
    return document


def place(path: Path, *at: str | int) -> str:
    """FILE:LINE of the setting at `at`, or of the nearest around it; of a file that could be read before."""
    lines = read(path, {}).lines
    near = next((at[:end] for end in range(len(at), -1, -1) if at[:end] in lines), ())
    return f"{path}:{lines.get(near, 1)}"


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise ConfigError(
            [f"{path}: there is no such file: name another by PORTALWIRE_SCHEDULES or --schedules"]
        ) from error
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {os.strerror(error.errno or 0)}"]) from error
    if len(content) > MAX_BYTES:
        raise ConfigError([f"{path}: is larger than {MAX_BYTES // 1024} KiB: that is no list of sources"])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"{path}:{line}: is not UTF-8 text"]) from error


def _parsed(path: Path, content: str) -> Any:
    try:
        circle = within_itself(content, MAX_DEPTH)
        if circle:
            line, name = circle
            raise ConfigError([f"{path}:{line}: *{name} stands inside of &{name}: it cannot hold itself"])
        return YAML(typ="rt").load(content)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigError([f"{path}:{mark.line + 1 if mark else 1}: {_explained(error, content)}"]) from error
    except (YAMLError, ValueError) as error:
        raise ConfigError([f"{path}:1: is not YAML: {str(error).splitlines()[0]}"]) from error
    except RecursionError as error:
        raise ConfigError([f"{path}:1: is nested too deep to be a list of sources"]) from error


def _explained(error: MarkedYAMLError, content: str) -> str:
    problem = str(error.problem or error.context or "is not YAML")
    if problem.startswith("found duplicate key"):
        name = problem.split('"')[1]
        return f"{name} stands here a second time: keep one of them"
    mark = error.problem_mark or error.context_mark
    lines = content.splitlines()
    here = lines[mark.line] if mark and mark.line < len(lines) else ""
    if _UNQUOTED_CRON.search(here):
        return 'a cron line begins with a sign that YAML reads as its own: put it in quotes, "*/5 * * * *"'
    return f"is not YAML: {problem}"


class _Walk:
    """From ruamel's tree to plain values, each with its line; aliases are followed within bounds."""

    def __init__(self, document: Document, environ: Mapping[str, str]) -> None:
        self.document = document
        self.environ = environ
        self.values = 0

    def plain(self, value: Any, at: KeyPath, line: int, depth: int) -> Any:
        self.values += 1
        if self.values > MAX_VALUES or depth > MAX_DEPTH:
            raise ConfigError([f"{self.document.path}:{line}: holds too much, or an alias that grows without end"])
        self.document.lines[at] = line
        if isinstance(value, CommentedMap):
            return {str(key): self.plain(item, (*at, str(key)), self._line(value, key, line), depth + 1)
                    for key, item in value.items()}  # fmt: skip
        if isinstance(value, CommentedSeq):
            return [self.plain(item, (*at, number), self._line(value, number, line), depth + 1)
                    for number, item in enumerate(value)]  # fmt: skip
        return self._scalar(value, at)

    def _line(self, parent: CommentedMap | CommentedSeq, key: Any, fallback: int) -> int:
        """What a merge brought in has no line of its own."""
        known = (parent.lc.data or {}).get(key)
        return known[0] + 1 if known else fallback

    def _scalar(self, value: Any, at: KeyPath) -> Any:
        if value is None or isinstance(value, bool):
            return value
        for kind in (int, float):
            if isinstance(value, kind):
                return kind(value)
        return _VARIABLE.sub(lambda found: self._variable(found, at), str(value))

    def _variable(self, found: re.Match[str], at: KeyPath) -> str:
        name, default = found.groups()
        value = self.environ.get(name) or default
        if value is None:
            self.document.complain(at, f"the environment has no {name}: set it, or write ${{{name}:-default}}")
        return value or ""
