"""All benchmarks, their tables into docs/performance.md. `make bench`, or `python -m benchmarks [fanout ingest …]`

Measures beside what others use, in one run; it takes about half an hour. `--no-write` only prints.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.bench import ROOT

PARTS = ("fanout", "ingest", "scrape", "seen", "growth", "ticks", "tops", "herd", "slow")
PAGE = ROOT / "docs" / "performance.md"


def main(
    parts: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(PARTS)}; all unless told.")] = None,
    write: Annotated[bool, typer.Option(help="Put the tables into docs/performance.md.")] = True,
) -> None:
    """Run the benchmarks one after the other."""
    for part in parts or PARTS:
        if part not in PARTS:
            sys.exit(f"There is no benchmark {part}: there are {', '.join(PARTS)}.")
        print(f"\n== {part}\n", flush=True)
        printed = _run(part)
        if write:
            _put(PAGE, part, printed)


def _run(part: str) -> str:
    """What the benchmark prints, shown as it comes."""
    lines: list[str] = []
    command = [sys.executable, "-u", "-m", f"benchmarks.{part}"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        sys.exit(f"{part} ended with {process.returncode}")
    return "".join(lines).strip()


def _put(page: Path, part: str, printed: str) -> None:
    """Replaces what stands between the part's marks; a part without marks is only printed."""
    begin, end = f"<!-- measured: {part} -->", f"<!-- /measured: {part} -->"
    between = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    text = page.read_text("utf-8")
    page.write_text(between.sub(lambda _: f"{begin}\n\n{printed}\n\n{end}", text), "utf-8")


if __name__ == "__main__":
    typer.run(main)
