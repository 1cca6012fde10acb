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
        self._family = set()

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
        self.ask_to_stop()
        self.wait_gone("after SIGTERM")

    def ask_to_stop(self):
        self._family = descendants(self._roots)
        for pid in self._roots:
            _signal(pid, signal.SIGTERM)

    @property
    def is_gone(self):
        """After ask_to_stop or strike: no process of it lives any more."""
        return not any(is_alive(pid) for pid in self._family)

    def kill(self):
        """kill -9 of all processes at one moment, and waits until they have gone. What they held stays."""
        self.strike()
        self.wait_gone("after kill -9")

    def strike(self):
        """kill -9 without waiting; returns the moment (CLOCK_MONOTONIC) from which the daemon did nothing more."""
        family, now = set(), descendants(self._roots)
        moment = time.monotonic()
        while now != family:
            for pid in now - family:
                _signal(pid, signal.SIGSTOP)
            family, now = now, descendants(self._roots)
        for pid in family:
            _signal(pid, signal.SIGKILL)
        self._family = family
        return moment

    def wait_gone(self, when):
        wait_for(lambda: self.is_gone, self.stop_seconds,
                 f"{self.kind} on {self.host.name} ends {when} (log: {self.log})")
        self._roots = []
