"""The page's feed on Socket.IO's own MessagePack client, run by Node: a filter, deltas, live."""

import json
import os
import subprocess

import pytest

from tests.conftest import ROOT, Server
from tests.realtime.test_web_modules import node
from tests.sending import post

CLIENT = ROOT / "node_modules" / "socket.io-client" / "dist" / "socket.io.msgpack.min.js"


def test_a_page_follows_a_filter_by_deltas_in_messagepack(module_server: Server) -> None:
    command = node()
    if command is None or not CLIENT.exists():
        if os.environ.get("CI"):
            pytest.fail("Node or socket.io-client is missing: run `make setup`, or install nodejs")
        pytest.skip("Node or socket.io-client is missing: run `make setup`, or install nodejs")
    url = module_server.url
    post(url, "vendor_js", {f"k{n}": {"n": n, "name": "Träger", "more": "x"} for n in range(10)})
    join = json.dumps({"room": "vendor_js", "where": "n<5.0", "delta": True})
    arguments = [command, str(ROOT / "tests" / "web" / "follow.mjs"), url, join, "13"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as follower:
        try:
            assert follower.stderr is not None
            assert follower.stderr.readline() == "live\n"
            post(url, "vendor_js", {"k0": {"n": 0, "name": "Träger"}, "k1": {"n": 7}, "k9": {"n": "4.5"}})
            said, _ = follower.communicate(timeout=60)
        finally:
            follower.kill()
    followed = json.loads(said)
    assert followed["name"] == "vendor_js?delta&where=n < 5"
    assert followed["data"] == {
        "k0": {"n": 0, "name": "Träger"},
        **{f"k{n}": {"n": n, "name": "Träger", "more": "x"} for n in (2, 3, 4)},
        "k9": {"n": "4.5"},
    }
    assert followed["deltas"] == 1
