"""docs/postgresql.md: its commands, run as they stand there."""

import re
from pathlib import Path

import requests

from tests.conftest import ROOT, Server
from tests.sending import post
from tests.servers import PostgresServer

TEXT = (ROOT / "docs" / "postgresql.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_the_page_sets_up_a_database_that_the_server_runs_on(tmp_path: Path, postgres: PostgresServer) -> None:
    postgres.start()
    made, forget = blocks("sql")
    for statement in made.split(";"):
        if statement.strip():
            postgres.execute(statement)
    (shell,) = blocks("sh")
    named = re.search(r"PORTALWIRE_DATABASE_URL='(.*)'", shell)
    assert named is not None
    assert "python -m realtime.serve" in shell
    url = named[1].replace(":5432/", f":{postgres.port}/")
    server = Server(tmp_path, {"PORTALWIRE_DATABASE_URL": url})
    server.start()
    try:
        before = post(server.url, "vendor_x", {"a": {"n": 1}})["epoch"]
        server.stop()
        postgres.execute(forget, database=url.rpartition("/")[2])
        server.start()
        assert requests.get(f"{server.url}/readyz", timeout=30).json()["epoch"] != before
    finally:
        server.stop()
        postgres.drop(url)
        postgres.execute("DROP ROLE portalwire_app")
