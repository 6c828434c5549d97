"""What can be run: the sources of schedules.yaml, and every portal there is, each found by name."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from scrapers.config import Schedules, Source, load
from scrapers.config.document import place
from scrapers.errors import ConfigError, PortalError, UnknownSource
from scrapers.fields import portal_of
from scrapers.portal import PORTALS, Portal, survey


@dataclass(frozen=True)
class Catalogue:
    """Sources and portals. A portal that schedules.yaml does not name is a source with every setting at its default."""

    path: Path
    schedules: Schedules
    portals: dict[str, Portal]
    faults: dict[Path, PortalError]

    @classmethod
    def read(cls, path: Path, *, optional: bool = False) -> "Catalogue":
        """From the schedules at `path`; where it is `optional` it may be missing. Raises ConfigError.

        A portal's file that cannot be used is among the `faults`, and harms no other.
        """
        nothing = optional and not path.exists()
        schedules = Schedules(sources={}) if nothing else load(path)
        return cls(path, schedules, *survey(*cls.folders(path, schedules)))

    @staticmethod
    def folders(path: Path, schedules: Schedules) -> list[Path]:
        """Where the portals are."""
        return [PORTALS, *(path.parent / folder for folder in schedules.portals)]

    def check(self) -> None:
        """Raises ConfigError with all that is wrong: files and folders that cannot be used, missing portals."""
        given = {self.path.parent / folder: number for number, folder in enumerate(self.schedules.portals)}
        problems = [
            f"{place(self.path, 'portals', given[file])}: {fault}" if file in given else str(fault)
            for file, fault in self.faults.items()
        ]
        for source in self.schedules.sources.values():
            try:
                if not source.pushed:
                    self.portal(source)
            except PortalError as error:
                problems.append(str(error))
            except ConfigError as error:
                problems += error.problems
        if problems:
            raise ConfigError(list(dict.fromkeys(problems)))

    def names(self) -> list[str]:
        """Every source that can be run, those of schedules.yaml first."""
        used = {source.portal or name for name, source in self.schedules.sources.items()}
        return [*self.schedules.sources, *sorted(self.portals.keys() - used)]

    def source(self, name: str) -> Source:
        """Raises UnknownSource, which says what there is, or PortalError when its file cannot be used."""
        if name in self.schedules.sources:
            return self.schedules.sources[name]
        if name in self.portals:
            return Source(name=name)
        self._blame(name)
        raise UnknownSource(f"there is no source named {name!r}: {self._choice(name, self.names())}")

    def portal(self, source: Source) -> Portal:
        """How the source is read, and where it starts. Raises ConfigError, PortalError."""
        if source.pushed:
            where = place(self.path, "sources", source.name, "pushed")
            raise ConfigError([f"{where}: source {source.name} is pushed by a program: there is nothing to run"])
        if source.fields:
            return portal_of(source)
        name = source.portal or source.name
        if name not in self.portals:
            self._blame(name)
            hint = self._choice(name, self.portals)
            where = place(self.path, "sources", source.name, "portal")
            raise ConfigError([f"{where}: source {source.name} needs a portal named {name!r}: {hint}"])
        portal = self.portals[name]
        return replace(portal, start=source.start) if source.start else portal

    def _blame(self, name: str) -> None:
        """The file that should hold this portal may be there, and broken."""
        for file, fault in self.faults.items():
            if file.stem == name:
                raise fault

    def _choice(self, name: str, known: Iterable[str]) -> str:
        unusable = ", ".join(str(file) for file in self.faults)
        return nearest(name, known) + (f"; not usable: {unusable}" if unusable else "")


def nearest(word: str, known: Iterable[str]) -> str:
    """A suggestion, and the whole choice."""
    known = list(known)
    near = get_close_matches(word, known, n=1)
    choice = f"there are {', '.join(known)}" if known else "there are none yet"
    return f"did you mean {near[0]}? ({choice})" if near else choice
