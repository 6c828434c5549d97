"""Numbers of several processes as one page for Prometheus: each sample says by `process` whose it is.

Counters are not added up here: one that begins anew with its process would look like all of them beginning anew.
"""

import re
from collections.abc import Mapping

_SAMPLE = re.compile(r"^(?!#)([\w:]+)(?:\{| )", re.MULTILINE)
_FAMILY = re.compile(r"^(?=# HELP )", re.MULTILINE)


def gathered(pages: Mapping[int, str | None]) -> bytes:
    """Pages in the text format by the number of their process; None for one that does not answer."""
    families: dict[str, list[str]] = {}  # help and type -> samples
    for number, page in pages.items():
        for family in _FAMILY.split(page or ""):
            if family:
                about, kind, samples = family.split("\n", 2)
                families.setdefault(f"{about}\n{kind}\n", []).append(_labelled(samples, number))
    up = [f'portalwire_process_up{{process="{number}"}} {float(page is not None)}\n' for number, page in pages.items()]
    about = "# HELP portalwire_process_up Whether a process of this port tells its numbers\n"
    families[about + "# TYPE portalwire_process_up gauge\n"] = up
    return "".join(about + "".join(samples) for about, samples in families.items()).encode()


def _labelled(samples: str, number: int) -> str:
    def label(found: re.Match[str]) -> str:
        return f'{found[1]}{{process="{number}"' + ("," if found[0].endswith("{") else "} ")

    return _SAMPLE.sub(label, samples)
