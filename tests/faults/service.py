"""A server with faults of its own, kept by a service manager: whenever it ends, it is started again."""

from collections.abc import Mapping
from pathlib import Path
from threading import Lock, Thread

import requests

from tests.conftest import Server, eventually


class Service(Server):
    """`fault` is "POINT:NTH" of tests.faults.serve; it kills `kills` times in all, in whichever process. `bug` is one
    that is planted there."""

    module = "tests.faults.serve"

    def __init__(
        self, folder: Path, environment: Mapping[str, str], fault: str = "", kills: int = 1, bug: str = ""
    ) -> None:
        self._killed = folder / "killed"
        self._killed.mkdir(exist_ok=True)
        faults = {
            "PORTALWIRE_FAULT_KILL": fault,
            "PORTALWIRE_FAULT_KILLS": str(kills),
            "PORTALWIRE_FAULT_KILLED": str(self._killed),
            "PORTALWIRE_FAULT_BUG": bug,
        }
        super().__init__(folder, {**environment, **faults})
        self._wanted = False
        self._changing = Lock()
        self._keeper: Thread | None = None

    @property
    def killed(self) -> int:
        """How often the fault killed a process."""
        return len(list(self._killed.iterdir()))

    def start(self) -> None:
        with self._changing:
            self._wanted = True
            self._launch()
        self._keeper = Thread(target=self._keep)
        self._keeper.start()
        try:
            eventually(self._ready, what=f"the server is ready, see {self.log}")
        except BaseException:
            self.kill()
            raise

    def _keep(self) -> None:
        while True:
            process = self._process
            if process is not None:
                process.wait()
            with self._changing:
                if not self._wanted:
                    return
                self._launch()

    def _end(self, number: int) -> None:
        with self._changing:
            self._wanted = False
            process, self._process = self._process, None
            if process is not None:
                process.send_signal(number)
        if self._keeper is not None:
            self._keeper.join(30)
            self._keeper = None

    def _ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).ok
        except (requests.ConnectionError, requests.ReadTimeout):
            return False
