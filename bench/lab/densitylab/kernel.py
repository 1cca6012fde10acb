"""What the kernel knows, asked so that asking does not disturb what is measured."""
import os
import socket
import struct
import time

from netlab.netlink import NLM_F_REQUEST_DUMP, NLMSG_DONE, NLMSG_ERROR, RTM_GETADDR, RTM_NEWADDR

POLL_SHARE = 0.03         # of a core, at most, goes into polling for addresses
SHORTEST_POLL_SECONDS = 0.005
DUMP_AGAIN_SECONDS = 3    # when the cheap question does not settle it


def cpu_seconds(pids):
    """CPU of all threads of the processes, from schedstat; what a thread that has ended used is not in it."""
    total = 0
    for pid in pids:
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
                    total += int(file.read().split()[0])
        except OSError:
            continue
    return total / 1e9


def memory(pids):
    """(Rss, Pss) in bytes, summed over the processes. Pss counts a page that several share in parts, so it is the sum that fits."""
    rss = pss = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                for line in file:
                    if line.startswith("Rss:"):
                        rss += int(line.split()[1]) * 1024
                    elif line.startswith("Pss:"):
                        pss += int(line.split()[1]) * 1024
        except OSError:
            continue
    return rss, pss


class _Proc:
    """A file of /proc/net of one namespace, kept open: it shows that namespace from wherever it is read."""

    def __init__(self, namespace, name):
        with namespace.entered():
            self._file = open(f"/proc/thread-self/net/{name}", "rb", buffering=0)

    def close(self):
        self._file.close()

    def read(self):
        self._file.seek(0)
        parts = []
        while part := self._file.read(1 << 20):
            parts.append(part)
        return b"".join(parts)


class SentFrames:
    """Frames that the interfaces of the lab have sent, by the kernel's count."""

    def __init__(self, namespace):
        self._proc = _Proc(namespace, "dev")
        self.close = self._proc.close

    def count(self):
        total = 0
        for line in self._proc.read().splitlines()[2:]:
            name, _, rest = line.partition(b":")
            if name.strip()[:1] == b"e":
                total += int(rest.split()[9])
        return total


class VirtualAddresses:
    """How many of 10.0.0.0/8 are in a namespace. Leaves of the routing trie are counted by the kernel itself in a millisecond or two; a dump of
    65,280 addresses takes a hundred times as long. So the trie is polled, and a dump has the last word."""

    def __init__(self, namespace):
        self._trie = _Proc(namespace, "fib_triestat")
        self._sock = namespace.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self._sock.settimeout(10)
        self._empty = self._leaves() - self.count()

    def close(self):
        self._trie.close()
        self._sock.close()

    def _leaves(self):
        return max((int(line.split()[-1]) for line in self._trie.read().splitlines() if b"Leaves:" in line), default=0)

    def count(self):
        """By a dump."""
        self._sock.send(struct.pack("=IHHIIBBBBI", 24, RTM_GETADDR, NLM_F_REQUEST_DUMP, 1, 0, socket.AF_INET, 0, 0, 0, 0))
        found = 0
        while True:
            data = self._sock.recv(1 << 18)
            offset = 0
            while offset + 16 <= len(data):
                length, kind = struct.unpack_from("=IH", data, offset)
                if kind == NLMSG_DONE:
                    return found
                if kind == NLMSG_ERROR:
                    raise OSError("netlink refused the question")
                # IFA_ADDRESS comes first after header and ifaddrmsg, so its first octet is at 16 + 8 + 4.
                found += kind == RTM_NEWADDR and data[offset + 28] == 10
                offset += (length + 3) & ~3

    def wait(self, wanted, seconds, still_runs=lambda: True):
        """Waits until there are `wanted` of them (0: none). Returns the CLOCK_MONOTONIC time of the first look that showed it, or None."""
        deadline = time.monotonic() + seconds
        dump_at = 0.0
        while True:
            asked = time.monotonic()
            there = self._leaves() - self._empty
            seems_so = there >= wanted if wanted else there <= 0
            if seems_so or (asked > dump_at and dump_at):
                count = self.count()
                if count >= wanted if wanted else count == 0:
                    return asked
                dump_at = time.monotonic() + DUMP_AGAIN_SECONDS
            elif not dump_at:
                dump_at = asked + DUMP_AGAIN_SECONDS
            if asked > deadline or not still_runs():
                return None
            cost = time.monotonic() - asked
            time.sleep(min(1.0, max(SHORTEST_POLL_SECONDS, cost / POLL_SHARE)))
