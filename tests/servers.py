"""Real Redis and real PostgreSQL, started by the tests on free ports: skipped at home when missing, failed in CI."""

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psycopg
import pytest
import redis

READY = 60.0  # seconds a server may take to answer
_number = itertools.count(1)


def needed(program: str, *folders: Path) -> str:
    """The path of a server's program; without it the test is skipped, or fails where CI is set."""
    found = shutil.which(program, path=os.pathsep.join([*map(str, folders), os.environ.get("PATH", os.defpath)]))
    if found is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{program} is not installed")
    return found


class _Process:
    """A server that can be started again on the same port and folder, and ends with the tests."""

    def __init__(self, folder: Path, owner: str | None = None) -> None:
        self.folder = folder
        self.port = _free_port()
        self.log = folder / "server.log"
        self._owner = owner
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _run(self, arguments: Sequence[str], answers: Callable[[], bool]) -> None:
        if self.running:
            return
        manner = ["--pdeathsig", "KILL"]  # also when the tests themselves are killed
        if self._owner:
            manner += [f"--reuid={self._owner}", f"--regid={self._owner}", "--init-groups"]
        end = time.monotonic() + READY
        while not answers():
            if not self.running:  # also: it ended because its predecessor still held something
                with self.log.open("ab") as log:
                    command = [needed("setpriv"), *manner, *arguments]
                    self._process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
            if time.monotonic() > end:
                pytest.fail(f"{arguments[0]} does not answer:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(timeout=30)


class RedisServer(_Process):
    """A Redis of the tests' own, with an append-only file so that it knows after a restart what it knew before."""

    def __init__(self, folder: Path, primary: "RedisServer | None" = None) -> None:
        super().__init__(folder)
        self._program = needed("redis-server")
        self._primary = primary

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Starts it, unless it runs, and waits until it answers."""
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self.folder, "save": "", "appendonly": "yes"}
        options["repl-diskless-sync-delay"] = 0
        if self._primary is not None:
            options["replicaof"] = f"127.0.0.1 {self._primary.port}"
        self._run([self._program, *(part for name, value in options.items() for part in (f"--{name}", str(value)))],
                  self._answers)  # fmt: skip

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and waits for its end."""
        self._end(signal.SIGTERM)

    def replica(self, folder: Path) -> "RedisServer":
        """A running copy of this one, that follows it until it is promoted."""
        replica = RedisServer(folder, self)
        replica.start()
        return replica

    @property
    def follows(self) -> bool:
        """Whether a replica has what its primary had when it came, and hears the rest."""
        with redis.Redis.from_url(self.url) as client:
            return client.info("replication").get("master_link_status") == "up"

    def promote(self) -> None:
        """It no longer listens to its primary, which may go on."""
        with redis.Redis.from_url(self.url) as client:
            client.replicaof("NO", "ONE")
        self._primary = None

    def flush(self) -> None:
        """It forgets everything."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.ConnectionError:  # also while it reads its file
            return False


class PostgresServer(_Process):
    """A PostgreSQL cluster of the tests' own. Its databases belong to `portalwire`, who is nobody special.

    Without fsync it loses nothing to a killed process, but everything to a power cut; `durable` makes it as it is in
    production.
    """

    def __init__(self, folder: Path, *, durable: bool = False, primary: "PostgresServer | None" = None) -> None:
        super().__init__(folder, _owner_of_clusters())
        self._durable = durable
        installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)  # Debian keeps them off the PATH
        self._programs = {name: needed(name, *installed) for name in ("postgres", "initdb", "pg_basebackup")}
        self._cluster = folder / "cluster"
        if self._owner:
            shutil.chown(folder, self._owner)
        if primary is None:
            self._initialise()
        else:
            self._copy(primary)

    def start(self) -> None:
        """Starts it, unless it runs, and waits until it answers."""
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self.folder}
        if not self._durable:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._run([self._programs["postgres"], "-D", str(self._cluster), *options], self._answers)

    def kill(self) -> None:
        """Ends at once, without a checkpoint: connections break, the next start recovers."""
        self._end(signal.SIGQUIT)

    def stop(self) -> None:
        """A fast shutdown: connections are closed, the cluster is left clean."""
        self._end(signal.SIGINT)

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Runs a statement as the superuser, outside of a transaction."""
        with psycopg.connect(self._address("postgres", database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def create(self) -> str:
        """The URL of a fresh database."""
        name = f"portalwire_{next(_number)}"
        self.execute(f"CREATE DATABASE {name} OWNER portalwire")
        return f"postgresql+psycopg://portalwire@127.0.0.1:{self.port}/{name}"

    def drop(self, url: str) -> None:
        """Ends the database's connections and drops it."""
        self.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def standby(self, folder: Path) -> "PostgresServer":
        """A running copy of this cluster that waits to be promoted."""
        return PostgresServer(folder, durable=self._durable, primary=self)

    def _initialise(self) -> None:
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        self._do("initdb", *options)
        self.start()
        self.execute("CREATE ROLE portalwire LOGIN")

    def _copy(self, primary: "PostgresServer") -> None:
        options = ["-h", "127.0.0.1", "-p", str(primary.port), "-U", "postgres", "--checkpoint=fast", "--no-sync"]
        self._do("pg_basebackup", "--write-recovery-conf", *options)
        self.start()

    def _do(self, program: str, *options: str) -> None:
        manner = [f"--reuid={self._owner}", f"--regid={self._owner}", "--init-groups"] if self._owner else ["--"]
        command = [needed("setpriv"), *manner, self._programs[program], "-D", str(self._cluster), *options]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()

    def _address(self, user: str, database: str) -> str:
        return f"host=127.0.0.1 port={self.port} user={user} dbname={database} connect_timeout=5"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._address("postgres", "postgres")).close()
        except psycopg.OperationalError:
            return False
        return True


def _owner_of_clusters() -> str | None:
    """PostgreSQL refuses to run as root: then a user that has nothing else."""
    if os.geteuid() != 0:
        return None
    names = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """The session's Redis. Who kills it starts it again."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """A Redis that runs and is empty."""
    redis_server.start()
    redis_server.flush()
    return redis_server.url


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The session's PostgreSQL. Who kills it starts it again."""
    with tempfile.TemporaryDirectory(prefix="portalwire-pg-") as folder:  # short: a socket's path is bounded
        server = PostgresServer(Path(folder))
        yield server
        server.kill()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database of each kind: what the store promises, it promises on both."""
    if request.param == "sqlite":
        return f"sqlite:///{request.getfixturevalue('tmp_path') / 'store.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def module_database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One of each kind for all tests of a module."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('module') / 'store.db'}"
        return
    cluster: PostgresServer = request.getfixturevalue("postgres")
    cluster.start()
    url = cluster.create()
    yield url
    cluster.start()
    cluster.drop(url)


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """A fresh database."""
    postgres.start()
    url = postgres.create()
    yield url
    postgres.start()
    postgres.drop(url)
