"""docs/top-lists.md and docs/candles.md: their programs and commands, run as they stand there."""

import os
import re
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.conftest import ROOT, Server
from tests.sending import post

# two threads print, and Python's print writes a line in pieces
WHOLE_LINES = """
import sys
def print(*words): sys.stdout.write(" ".join(map(str, words)) + "\\n")
"""
HERE = "http://127.0.0.1:5000"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)


def fetched(server: Server, shell: str) -> Any:
    """What a page's `curl` gets."""
    (address,) = re.findall(r"^curl '(.*)'$", shell, re.MULTILINE)
    answer = requests.get(server.url + address.removeprefix(HERE), timeout=30)
    answer.raise_for_status()
    assert urlsplit(address).query
    return answer.json()


def test_the_program_of_top_lists_md_hears_the_list_and_hears_it_again(server: Server) -> None:
    (program,) = blocks("top-lists.md", "python")
    post(server.url, "vendor_x", {"a": {"price": "1.50"}, "b": {"price": 2}})
    command = [sys.executable, "-u", "-c", WHOLE_LINES + program.replace(HERE, server.url)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        heard = {client.stdout.readline(), client.stdout.readline()}
        assert "vendor_x price [('b', 2), ('a', '1.50')]\n" in heard
        assert any(line.startswith("{'ok': True, 'room': 'vendor_x'") for line in heard)
        post(server.url, "vendor_x", {"a": {"price": 3}})
        assert client.stdout.readline() == "vendor_x price [('a', 3), ('b', 2)]\n"
        client.kill()
    (shell,) = blocks("top-lists.md", "sh")
    assert [item["value"] for item in fetched(server, shell)["items"]] == [2, 3]


def test_the_commands_of_candles_md_make_candles(server: Server) -> None:
    (shell,) = blocks("candles.md", "sh")
    command = shell.splitlines()[0].split()
    assert command[0] == "python"
    environment = {**os.environ, "PORTALWIRE_INGEST_URL": server.url}
    subprocess.run([sys.executable, *command[1:]], cwd=ROOT, env=environment, check=True, timeout=60)
    candles = fetched(server, shell)
    assert (candles["symbol"], candles["window"]) == ("TIN", "1m")
    assert sum(candles["count"]) > 0
    assert set(re.findall(r"`(\w+)`", (ROOT / "docs/candles.md").read_text())) >= {*candles} - {
        "source", "symbol", "window", "epoch", "as_of"
    }  # fmt: skip
