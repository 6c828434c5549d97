"""Values of labels. Each is a time series for ever, so what others choose is bounded."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
FETCHES = frozenset({"http", "browser"})
SOURCES = 1000  # that are counted by name
OTHER = "other"


def among(known: frozenset[str], value: str) -> str:
    """`value` if it is known."""
    return value if value in known else OTHER


class Names:
    """The first names that come, so many of them; all others share one."""

    def __init__(self, most: int = SOURCES) -> None:
        self._most = most
        self._taken: set[str] = set()

    def of(self, name: str) -> str:
        if name not in self._taken:
            if len(self._taken) >= self._most:
                return OTHER
            self._taken.add(name)
        return name
