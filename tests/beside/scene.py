"""One daemon of either kind on a small LAN, what a bystander sees of it, and the scenarios that ask the same of both.

A scenario is a function of a Scene. It starts the daemon, does something to it or its LAN, and writes down facts: lines of text without times, counters or
names of temporary files, so that two daemons that behave alike give the same lines.
"""
import contextlib
import dataclasses
import ipaddress
import json
import pathlib
import re
import socket
import sys
import threading
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests" / "engine" / "daemon"))
from rig import PATIENCE, VIP, Neighbour, Rig, advert, instance  # noqa: E402, F401
from netlab.daemon import wait_for  # noqa: E402
from netlab.wire import read_advert  # noqa: E402

SCENARIOS = []
ETH_P_ALL = 3
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC = 263, 1, 1


@dataclasses.dataclass
class Scenario:
    title: str
    keywords: tuple
    play: object
    interfaces: tuple
    why: str          # they differ, on purpose; empty: they may not
    why_alone: str    # keepalived cannot take part


def scenario(title, keywords="", interfaces=("eth0",), why="", why_alone=""):
    def add(function):
        SCENARIOS.append(Scenario(title, tuple(keywords.split()), function, interfaces, why, why_alone))
        return function
    return add


class Ear:
    """All frames that cross one LAN, unicast included."""

    def __init__(self, lan, interface="eth0"):
        self.socket = lan.switch.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((lan.bridge(interface), ETH_P_ALL))
        with lan.switch.entered():
            index = socket.if_nametoindex(lan.bridge(interface))
        self.socket.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, index.to_bytes(4, sys.byteorder) + PACKET_MR_PROMISC.to_bytes(4, sys.byteorder) + bytes(8))
        self.socket.setblocking(False)
        self.frames = []      # (seconds, octets)

    def listen(self):
        try:
            while True:
                frame, place = self.socket.recvfrom(2048)
                if place[2] != socket.PACKET_OUTGOING:
                    self.frames.append((time.monotonic(), frame))
        except BlockingIOError:
            return self.frames

    def clear(self):
        self.listen()
        self.frames = []

    def adverts(self, vrid=51, source="192.0.2.1"):
        """Of one router, as namedtuples; its own by the source."""
        found = (read_advert(frame, seconds) for seconds, frame in self.listen())
        return [one for one in found if one and one.vrid == vrid and source in (None, str(one.source))]

    def messages(self, vrid=51):
        """VRRP messages over IPv4 as hexadecimal digits, without what is in front of them; each one once, in their order."""
        seen = [frame for _, frame in self.listen() if (one := read_advert(frame, 0)) and one.vrid == vrid]
        return list(dict.fromkeys(frame[14 + (frame[14] & 15) * 4:].hex() for frame in seen))

    def announced(self, address=VIP):
        """When, in seconds, gratuitous ARP was sent for it."""
        packed = ipaddress.ip_address(address).packed
        return [seconds for seconds, frame in self.listen()
                if frame[12:14] == b"\x08\x06" and frame[28:32] == packed == frame[38:42]]

    def advertised(self, address):
        """When, in seconds, an unsolicited neighbour advertisement was sent for it."""
        packed = ipaddress.ip_address(address).packed
        return [seconds for seconds, frame in self.listen()
                if frame[12:14] == b"\x86\xdd" and frame[20] == 58 and frame[54] == 136 and frame[62:78] == packed]

    def close(self):
        self.socket.close()


class Peer:
    """A router beside it that sends adverts until it is silenced."""

    def __init__(self, rig, interval=0.1, **fields):
        self._neighbour = Neighbour(rig)
        self._frame = advert(interval=round(interval * 100), **fields)
        self._interval = interval
        self._is_silent = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def _send(self):
        while not self._is_silent.is_set():
            self._neighbour.send(self._frame)
            self._is_silent.wait(self._interval / 2)   # a machine that is busy for an interval must not look like a dead peer

    def silence(self):
        self._is_silent.set()
        self._thread.join()
        self._neighbour.close()


class Scene:
    def __init__(self, kind, directory, interfaces):
        self.kind = kind
        self.directory = pathlib.Path(directory)
        self.interfaces = interfaces
        self.facts = []
        self._close = contextlib.ExitStack()
        self.rig = Rig(self.directory, "", interfaces=interfaces)
        self._close.callback(self.rig.close)
        self.ear = Ear(self.rig.lan)
        self._close.callback(self.ear.close)

    def close(self):
        self._close.close()

    def note(self, fact):
        self.facts.append(str(fact).replace(str(self.directory), "DIR"))

    # --- the daemon ---

    def start(self, text):
        self.rig.configuration.write_text(text, encoding="utf-8")
        self.rig.start(self.rig.command() if self.kind == "vigil" else self.rig.keepalived_command())

    def reload(self, text):
        self.rig.configuration.write_text(text, encoding="utf-8")
        self.rig.signal(1)

    def wait(self, condition, what):
        wait_for(condition, PATIENCE, f"{self.kind}: {what} (log: {self.rig.log})")

    def wait_active(self, address=VIP):
        self.rig.wait_holds(address)

    def wait_backup(self, address=VIP):
        self.rig.wait_holds(address, yes=False)

    def settles(self, what, quiet=1.0):
        """The value of `what()` when it has not changed for that long."""
        value, since = what(), time.monotonic()
        limit = since + PATIENCE
        while time.monotonic() < min(since + quiet, limit):
            time.sleep(0.05)
            if (now := what()) != value:
                value, since = now, time.monotonic()
        return value

    # --- its LAN ---

    def peer(self, **fields):
        peer = Peer(self.rig, **fields)
        self._close.callback(peer.silence)
        return peer

    def priorities(self, vrid=51):
        """Those of its adverts, each run of equal ones once."""
        found = [one.priority for one in self.ear.adverts(vrid)]
        return [value for i, value in enumerate(found) if i == 0 or value != found[i - 1]]

    def wait_priority(self, priority, vrid=51):
        self.wait(lambda: (found := self.priorities(vrid)) and found[-1] == priority, f"priority {priority} in adverts, not {self.priorities(vrid)}")

    # --- its host ---

    def script(self, name, text):
        file = self.directory / name
        file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        file.chmod(0o755)
        return file

    def recorder(self, name="told"):
        """A script that writes its arguments, and the lines that it wrote."""
        out = self.directory / f"{name}.txt"
        script = self.script(name, f'echo "$@" >> {out}')
        return script, lambda: out.read_text(encoding="utf-8").splitlines() if out.exists() else []

    def addresses(self, device="eth0"):
        """What an operator sees of the addresses that the host did not have."""
        links = json.loads(self.rig.host.namespace.run(["ip", "-j", "address", "show", "dev", device]))
        found = []
        for one in links[0]["addr_info"]:
            words = [f"{one['local']}/{one['prefixlen']}", f"scope {one['scope']}"]
            words += [f"{key} {one[key]}" for key in ("address", "broadcast", "label") if one.get(key) and (key, one[key]) != ("label", device)]
            words += [flag for flag in ("noprefixroute", "nodad", "home") if one.get(flag)]
            found.append(" ".join(words))
        own = {f"192.0.2.1/24", "2001:db8::1/64"}
        return sorted(line for line in found if line.split()[0] not in own and not line.startswith("fe80"))

    def ip_lines(self, *words):
        """Of an `ip` command, without what differs from run to run."""
        text = self.rig.host.namespace.run(["ip", *words])
        return sorted(re.sub(r"\s+", " ", line).strip() for line in text.splitlines())
