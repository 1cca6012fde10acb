"""vigil_observer processes: they hear what arrives in a namespace, and report when they are stopped."""
import collections
import json
import os
import pathlib
import select
import signal
import subprocess
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[3]
NICE = -10
READY_SECONDS = 20
REPORT_SECONDS = 60


class EarError(Exception):
    """The observer could not hear or did not report."""


def program():
    """VIGIL_OBSERVER names it; else it is looked for in the build directory."""
    build = pathlib.Path(os.environ.get("VIGIL_BUILD", TOP / "build"))
    path = os.environ.get("VIGIL_OBSERVER") or str(build / "bin" / "vigil_observer")
    return path if os.access(path, os.X_OK) else None


class Ear:
    """Hears from construction on; with from_seconds and until_seconds (CLOCK_MONOTONIC) only that window counts. `room`: routers, and addresses, it can
    remember."""

    def __init__(self, namespace, directory, room, from_seconds=0.0, until_seconds=0.0):
        handle, self._path = tempfile.mkstemp(dir=directory, prefix="ear-", suffix=".json")
        os.close(handle)
        command = [program(), "--report", self._path, "--routers", str(room), "--addresses", str(room)]
        if from_seconds:
            command += ["--from-ns", str(int(from_seconds * 1e9))]
        if until_seconds:
            command += ["--until-ns", str(int(until_seconds * 1e9))]
        self._process = namespace.popen(command, nice=NICE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        if not select.select([self._process.stdout], [], [], READY_SECONDS)[0] or self._process.stdout.readline() != b"ready\n":
            self.kill()
            raise EarError("vigil_observer could not open its ring")

    def kill(self):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def ask_to_stop(self):
        self._process.send_signal(signal.SIGINT)

    def report(self):
        """Waits for the end, after ask_to_stop or the end of the window."""
        try:
            status = self._process.wait(REPORT_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise EarError(f"vigil_observer did not report within {REPORT_SECONDS} s") from None
        self._process.stdout.close()
        if status:
            raise EarError(f"vigil_observer ended with {status}")
        with open(self._path, encoding="ascii") as file:
            report = json.load(file)
        os.unlink(self._path)
        return report


def stop_all(ears):
    for ear in ears:
        ear.ask_to_stop()
    return merge([ear.report() for ear in ears])


# One virtual router as heard from one source. Times in seconds of CLOCK_MONOTONIC.
Heard = collections.namedtuple("Heard", "count first last shortest_gap longest_gap priority priority_changes first_zero")


class Hearing:
    """One report, or several of different places put together."""

    def __init__(self):
        self.frames = self.lost = self.adverts = self.announcements = 0
        self.shortest_gap = self.longest_gap = 0.0
        self.late, self.early = collections.Counter(), collections.Counter()   # lower end in seconds -> gaps
        self.routers = {}      # (interface, source, vrid) -> Heard
        self.announced = {}    # (interface, address) -> first time
        self.virtual_macs = set()   # (interface, address) of those announced with a virtual MAC

    def take_in(self, report):
        self.frames += report["frames"]
        self.lost += report["drops"] + report["table_overflows"]
        self.adverts += report["adverts"]
        self.announcements += report["announcements"]
        shortest, self.longest_gap = report["shortest_gap_ns"] / 1e9, max(self.longest_gap, report["longest_gap_ns"] / 1e9)
        self.shortest_gap = min(self.shortest_gap or shortest, shortest or self.shortest_gap)
        for name, counter in (("late", self.late), ("early", self.early)):
            counter.update({lower / 1e9: count for lower, count in report[name]})
        names = report["router_columns"]
        for row in report["routers"]:
            value = dict(zip(names, row))
            self.routers[value["interface"], value["source"], value["vrid"]] = Heard(
                value["count"], value["first_ns"] / 1e9, value["last_ns"] / 1e9, value["shortest_gap_ns"] / 1e9, value["longest_gap_ns"] / 1e9,
                value["priority"], value["priority_changes"], value["first_zero_ns"] / 1e9)
        for interface, address, _, first, _, has_virtual_mac in report["addresses"]:
            before = self.announced.get((interface, address))
            self.announced[interface, address] = min(before or first / 1e9, first / 1e9)
            if has_virtual_mac:
                self.virtual_macs.add((interface, address))


def merge(reports):
    hearing = Hearing()
    for report in reports:
        hearing.take_in(report)
    return hearing
