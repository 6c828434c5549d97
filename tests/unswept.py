"""`python -m realtime.serve` whose feed hears of what another process stored in one way only. `python -m tests.unswept`

PORTALWIRE_TEST_HEARS says which: `hints`, then nothing is read from the log, or `ticks`, then no hint is heard and the
feed does not look by itself.
"""

import os
import sys
from typing import Any

import typer

from realtime import serve  # gevent must be in place before anything else: its import comes first, and brings the feed

feed: Any = sys.modules["realtime.feed"]

if __name__ == "__main__":
    if os.environ["PORTALWIRE_TEST_HEARS"] == "hints":
        feed.Feed._fill = lambda *_: None
    else:
        feed.Feed.tell = lambda *_: None
        feed.HEADS_EVERY = 3600.0
    typer.run(serve.serve)
