"""The documentation's programs run."""

import re
import subprocess
import sys

from tests.conftest import ROOT, Server
from tests.sending import post


def test_the_python_client_of_events_md_follows_a_room(server: Server) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/events.md").read_text(), re.DOTALL)
    post(server.url, "vendor_x", {"a": {"n": 1}})
    command = [sys.executable, "-u", "-c", program.replace("http://127.0.0.1:5000", server.url)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == "new a {'n': 1}\n"
        post(server.url, "vendor_x", {"a": {"n": 2}})
        assert client.stdout.readline() == "changed a {'n': 2}\n"
        client.kill()
