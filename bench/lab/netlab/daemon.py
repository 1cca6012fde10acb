"""A VRRP daemon on one router: how it is started, stopped in order, and killed.

`kill` is the death of a machine: all processes are frozen before the first dies, because a supervisor would restart
a child, and a child whose parent dies may still say goodbye with a priority of 0.
"""
import os
import pathlib
import signal
import time


class DaemonError(Exception):
    """The daemon did not do as told; the message says what and where its log is."""


def _state_and_parent(pid):
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[1])


def is_alive(pid):
    found = _state_and_parent(pid)
    return found is not None and found[0] not in "ZX"


def descendants(roots):
    """The living ones among `roots` and everything they started."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            found = _state_and_parent(int(entry))
            if found and found[0] not in "ZX":
                parents[int(entry)] = found[1]
    family = {pid for pid in roots if pid in parents}
    while True:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        if not more:
            return family
        family |= more


def _signal(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def wait_for(condition, seconds, what):
    """Polls until `condition()` is true; for conditions that no socket announces."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise DaemonError(f"{what}: not within {seconds:g} s")
        time.sleep(0.01)


class Daemon:
    """Base of all kinds. A kind says how to start (`_launch` returns pids), and how it writes its configuration."""

    kind = ""
    stop_seconds = 15

    def __init__(self, host, directory, virtual_routers):
        self.host = host
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.virtual_routers = tuple(virtual_routers)
        self.log = self.directory / f"{host.name}.log"
        self._roots = []

    @classmethod
    def why_not(cls, virtual_router=None):
        """Why this kind cannot play here, or cannot be such a virtual router; or None."""
        raise NotImplementedError

    def _launch(self):
        raise NotImplementedError

    def start(self):
        self._roots = self._launch()

    @property
    def running(self):
        return bool(self._roots) and all(is_alive(pid) for pid in self._roots)

    def stop(self):
        """SIGTERM, and waits until every process has gone."""
        family = descendants(self._roots)
        for pid in self._roots:
            _signal(pid, signal.SIGTERM)
        self._wait_gone(family, "after SIGTERM")

    def kill(self):
        """kill -9 of all processes at one moment. What they held stays."""
        family = set()
        while (now := descendants(self._roots)) != family:
            for pid in now - family:
                _signal(pid, signal.SIGSTOP)
            family = now
        for pid in family:
            _signal(pid, signal.SIGKILL)
        self._wait_gone(family, "after kill -9")

    def _wait_gone(self, family, when):
        wait_for(lambda: not any(is_alive(pid) for pid in family), self.stop_seconds,
                 f"{self.kind} on {self.host.name} ends {when} (log: {self.log})")
        self._roots = []
