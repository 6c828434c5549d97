"""The values of schedules.yaml that have a unit: durations ("1h30m") and shares ("50%")."""

import re
from typing import Any, ClassVar

import msgspec

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_VARIABLE = r".*\$\{.+\}.*"  # what an editor sees before the environment is read
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class Seconds(float):
    """A duration in seconds; written as "30s", "5m", "1h30m", "2d" or a bare number of seconds."""

    schema: ClassVar = {
        "type": ["string", "number"],
        "pattern": f"^({_DURATION.pattern}|{_NUMBER.pattern}|{_VARIABLE})$",
        "minimum": 0,
    }

    @classmethod
    def read(cls, value: Any) -> "Seconds":
        text = _text(value)
        if _NUMBER.fullmatch(text):
            return cls(text)
        if not _DURATION.fullmatch(text):
            raise ValueError(f'{value!r} is not a duration: write "30s", "5m", "1h30m" or "2d"')
        return cls(sum(float(amount) * _UNITS[unit] for amount, unit in _PART.findall(text)))

    def __str__(self) -> str:
        """The duration as it is written in schedules.yaml, in the largest units that fit."""
        left, written = round(float(self) * 1000), ""
        for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
            count, left = divmod(left, size)
            written += f"{count}{unit}" if count else ""
        return written or "0s"


class Percent(float):
    """A share from 0 to 1; written as "50%" or 0.5."""

    schema: ClassVar = {
        "type": ["string", "number"],
        "pattern": f"^({_PERCENT.pattern}|{_NUMBER.pattern}|{_VARIABLE})$",
        "maximum": 1,
    }

    @classmethod
    def read(cls, value: Any) -> "Percent":
        text = _text(value)
        percent = _PERCENT.fullmatch(text)
        if not percent and not _NUMBER.fullmatch(text):
            raise ValueError(f'{value!r} is not a share: write "50%" or 0.5')
        share = float(percent[1]) / 100 if percent else float(text)
        if share > 1:
            raise ValueError(f'{value!r} is more than everything: write "50%" or 0.5')
        return cls(share)

    def __str__(self) -> str:
        return f"{float(self) * 100:g}%"


def _text(value: Any) -> str:
    return "" if isinstance(value, bool) else str(value).strip()


def preset(value: Any) -> Any:
    """A setting's default; by a factory, since msgspec writes no default of these types into a schema."""
    return msgspec.field(default_factory=lambda: value)


def decoded(kind: type, value: Any) -> Any:
    """msgspec's hook for the types above."""
    if issubclass(kind, Seconds | Percent):
        return kind.read(value)
    raise NotImplementedError(kind)


def schema(kind: type) -> dict[str, Any]:
    """msgspec's hook for the JSON Schema of the types above."""
    if issubclass(kind, Seconds | Percent):
        return dict(kind.schema)
    raise NotImplementedError(kind)
