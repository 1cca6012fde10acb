"""What the client wrote down (traffic.py), and the figures of one event."""
from typing import NamedTuple


class Request(NamedTuple):
    start: float
    end: float
    server: str   # empty for a failure
    reason: str


class Figures(NamedTuple):
    """What the client noticed between an event and the calm after it."""
    requests: int
    failed: int
    longest_gap: float      # seconds without a success
    sorry: int              # pages of the sorry server
    broken: int             # long-lived connections
    long_lived: int         # how many there were
    reasons: dict           # why requests failed -> how many


class Records:
    """The client's file, read as far as it goes whenever read() is called."""

    def __init__(self, path):
        self._path, self._offset, self._rest = path, 0, ""
        self.requests = []          # finished ones, by their ends
        self.broken = []            # (time, reason)
        self.ports = {}             # number of a long-lived connection that is open -> the client's port
        self.long_answers = {}      # number of a long-lived connection -> when its latest answered request began

    def read(self):
        try:
            with open(self._path, encoding="ascii") as file:
                file.seek(self._offset)
                text = file.read()
                self._offset = file.tell()
        except FileNotFoundError:
            return self
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._take(line.split())
        return self

    def _take(self, words):
        match words:
            case ["request", start, end, server, reason]:
                self.requests.append(Request(float(start), float(end), "" if server == "-" else server, reason))
            case ["long", number, start, _, _]:
                self.long_answers[int(number)] = float(start)
            case ["open", number, _, port]:
                self.ports[int(number)] = int(port)
            case ["broken", number, when, reason]:
                self.broken.append((float(when), reason))
                self.ports.pop(int(number), None)
            case ["closed", number, _]:
                self.ports.pop(int(number), None)
            case _:
                raise ValueError(f"unknown line of the client: {words}")

    def is_calm(self, since, count, servers, long_count):
        """The latest `count` requests, all begun after `since`, were answered by exactly those servers, and every long-lived connection was answered since."""
        latest = [request for request in self.requests[-count:] if request.start >= since]
        return (len(latest) == count and {request.server for request in latest} == set(servers)
                and sum(start >= since for start in self.long_answers.values()) == long_count)

    def figures(self, begin, end, long_count):
        mine = [request for request in self.requests if begin <= request.start <= end]
        successes = sorted(request.end for request in mine if request.server)
        moments = [begin, *successes] if successes else [begin, end]
        reasons = {}
        for request in mine:
            if not request.server:
                reasons[request.reason] = reasons.get(request.reason, 0) + 1
        return Figures(len(mine), sum(reasons.values()), max((later - earlier for earlier, later in zip(moments, moments[1:])), default=0.0),
                       sum(request.server == "sorry" for request in mine), sum(begin <= when <= end for when, _ in self.broken), long_count, reasons)
