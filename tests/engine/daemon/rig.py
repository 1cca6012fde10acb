"""One vigild on a host of a small LAN, with its log, its kernel and its processes at hand.

Used by the tests beside it and tests/bad-input/run. Needs netlab (bench/lab) and a sandbox that was entered.
"""
import contextlib
import ipaddress
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TOP / "bench" / "lab"))
from netlab.daemon import descendants, is_alive, wait_for  # noqa: E402
from netlab.keepalived import Keepalived  # noqa: E402
from netlab.lan import Lan  # noqa: E402
from netlab.vigild import Vigild  # noqa: E402

PATIENCE = 30     # seconds; the machine may be busy. Nothing here waits that long on a quiet one.
VIP = "192.0.2.100"


def instance(lines="", name="VI_1", interface="eth0", vrid=51, addresses=(VIP + "/24",)):
    """A vrrp_instance that becomes MASTER in a third of a second when it is alone."""
    body = "\n".join(f"        {address}" for address in addresses)
    return (f"vrrp_instance {name} {{\n    interface {interface}\n    virtual_router_id {vrid}\n    version 3\n    advert_int 0.1\n"
            f"    {lines}\n    virtual_ipaddress {{\n{body}\n    }}\n}}\n")


class Rig:
    """`text`: the configuration. The daemon is started by start(), so that a test can prepare the host first. `beside`: another rig, made with
    router_count 2, on whose LAN this one is the second router."""

    def __init__(self, directory, text, options=(), interfaces=("eth0",), router_count=1, beside=None):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.lan = beside.lan if beside else Lan(router_count=router_count, interfaces=interfaces)
        self.owns_lan = beside is None
        self.host = self.lan.routers[1 if beside else 0]
        self.options = list(options)
        self.configuration = self.directory / "keepalived.conf"
        self.configuration.write_text(text, encoding="utf-8")
        self.run_directory = self.directory / "run"   # what a killed daemon leaves there must not stay on this host
        self.run_directory.mkdir(exist_ok=True)
        self.log = self.directory / "log"
        self.log.touch()
        self.process = None
        self._mark = 0
        for interface in interfaces:
            wait_for(lambda: any(link.name == interface and link.running for link in self.host.table.links().values()),
                     PATIENCE, f"{interface} is running")

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.kill_all()
        if self.owns_lan:
            self.lan.close()
        crash = re.search(rb".*(Sanitizer|runtime error|signal (4|6|7|8|11) ).*", self.log.read_bytes())
        if crash:
            raise AssertionError(f"{crash[0].decode('utf-8', 'replace')} (log: {self.log})")

    def command(self):
        return [Vigild.program(), "-n", "-l", "-D", "-f", str(self.configuration), *self.options,
                "-p", str(self.directory / "p.pid"), "-r", str(self.directory / "r.pid"), "-c", str(self.directory / "c.pid"),
                "-b", str(self.directory / "b.pid")]

    def keepalived_command(self):
        """The same for Debian's keepalived, which needs to be told that there is nothing to check."""
        return [Keepalived.program(), "-P", *self.command()[1:]]

    def start(self, command=None, **options):
        self._mark = self.log.stat().st_size
        with open(self.log, "ab") as log:
            environment = os.environ | {"TMPDIR": str(self.directory)}
            self.process = self.host.namespace.popen(command or self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                     env=environment, run_directory=self.run_directory, **options)

    def run(self, command=None, **options):
        """Starts it, waits until it ends by itself, returns the exit code."""
        self.start(command, **options)
        return self.process.wait(timeout=PATIENCE)

    # --- its log ---

    def mark(self):
        """lines() and wait_for_line() look at what comes from here on."""
        self._mark = self.log.stat().st_size

    def lines(self):
        """Log lines since the mark, without their time."""
        text = self.log.read_bytes()[self._mark:].decode("utf-8", "replace")
        return [re.sub(r"^\w{3} \w{3} \d\d \d\d:\d\d:\d\d \d{4}: ", "", line) for line in text.splitlines()]

    def find(self, words):
        return [line for line in self.lines() if words in line]

    def wait_for_line(self, words, seconds=PATIENCE):
        wait_for(lambda: self.find(words), seconds, f"a log line with '{words}' (log: {self.log})")
        return self.find(words)[0]

    # --- its kernel ---

    def holds(self, address=VIP, device=None):
        return any(one.ip == ipaddress.ip_address(address) and device in (None, one.device) for one in self.host.table.addresses())

    def wait_holds(self, address=VIP, yes=True):
        wait_for(lambda: self.holds(address) == yes, PATIENCE, f"{address} is {'there' if yes else 'gone'} (log: {self.log})")

    def macvlans(self):
        return [link.name for link in self.host.table.links().values() if link.kind == "macvlan"]

    def tables(self):
        """nftables tables, as an operator's program sees them."""
        return re.findall(r"^table (.*?) \{", self.host.namespace.run(["nft", "list", "ruleset"]), re.MULTILINE)

    def ip(self, *lines):
        self.host.namespace.ip(*lines)

    # --- its processes ---

    def child(self):
        """pid of the VRRP process."""
        return int((self.directory / "r.pid").read_text())

    def signal(self, number):
        os.kill(self.process.pid, number)

    def stop(self):
        family = descendants([self.process.pid])
        self.signal(signal.SIGTERM)
        code = self.process.wait(timeout=PATIENCE)
        wait_for(lambda: not any(map(is_alive, family)), PATIENCE, "every process has ended")
        return code

    def kill_all(self):
        family = descendants([self.process.pid])
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in family:
                with contextlib.suppress(ProcessLookupError):   # a script that ended by itself
                    os.kill(pid, number)
        self.process.wait(timeout=PATIENCE)
        wait_for(lambda: not any(map(is_alive, family)), PATIENCE, "every process is dead")

    def restart(self, text=None):
        if text is not None:
            self.configuration.write_text(text, encoding="utf-8")
        self.start()


# --- frames from a neighbour ---

def internet_checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def advert(source="192.0.2.2", version=3, kind=1, vrid=51, priority=50, count=None, interval=10, addresses=(VIP,), checksum=None,
           ttl=255, auth=b"", destination="224.0.0.18", protocol=112, cut=0):
    """A complete Ethernet frame with a VRRP advert over IPv4; every field may be wrong."""
    packed = b"".join(ipaddress.ip_address(one).packed for one in addresses)
    count = len(addresses) if count is None else count
    ends = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    if version == 2:
        head = struct.pack("!BBBBBB", version << 4 | kind, vrid, priority, count, 1 if auth else 0, interval)
        tail, covered = packed + (auth or bytes(8)).ljust(8, b"\0"), b""
    else:
        head = struct.pack("!BBBBH", version << 4 | kind, vrid, priority, count, interval)
        tail, covered = packed, ends + struct.pack("!BBH", 0, 112, 8 + len(packed))
    right = internet_checksum(covered + head + b"\0\0" + tail)
    message = head + struct.pack("!H", right if checksum is None else checksum) + tail
    message = message[:len(message) - cut]
    header = struct.pack("!BBHHHBBH", 0x45, 0xC0, 20 + len(message), 1, 0, ttl, protocol, 0) + ends
    header = header[:10] + struct.pack("!H", internet_checksum(header)) + header[12:]
    group = ipaddress.ip_address(destination).packed
    mac = b"\x01\x00\x5e" + bytes([group[1] & 0x7F]) + group[2:]
    return mac + bytes.fromhex("020000000002") + b"\x08\0" + header + message


class Neighbour:
    """Sends frames from the LAN's client."""

    def __init__(self, rig):
        self.socket = rig.lan.client.namespace.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self.socket.bind(("eth0", 0))

    def send(self, *frames):
        for frame in frames:
            self.socket.send(frame)

    def close(self):
        self.socket.close()
