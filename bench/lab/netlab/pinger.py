"""A client that pings addresses throughout, and can say for any stretch of time how many pings were lost.

A ping is lost when no answer to it came. The longest gap is measured between the moments at which two answered pings
were *sent*, so a reader that is late does not lengthen it; its resolution is the ping interval.
"""
import bisect
import os
import select
import socket
import struct
import threading
import time

ICMP_ECHO, ICMP_REPLY = 8, 0
ICMP6_ECHO, ICMP6_REPLY = 128, 129


def _checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


class Target:
    """Pings to one address: when each was sent, and whether it was answered; index = sequence number."""

    def __init__(self, address):
        self.address = address
        self.sent_at = []
        self.answered = bytearray()
        self.answered_count = 0

    def stretch(self, begin, end):
        """(sent, lost, longest gap in seconds) of the pings sent between two moments of CLOCK_MONOTONIC."""
        first, last = bisect.bisect_left(self.sent_at, begin), bisect.bisect_left(self.sent_at, end)
        good = [self.sent_at[index] for index in range(first, last) if self.answered[index]]
        edges = [begin, *good, end]
        gap = max(after - before for before, after in zip(edges, edges[1:]))
        return last - first, last - first - len(good), gap

    def answers_since(self, begin):
        return sum(self.answered[bisect.bisect_left(self.sent_at, begin):])


class Pinger(threading.Thread):
    def __init__(self, host, addresses, interval):
        super().__init__(daemon=True)
        self.targets = [Target(address) for address in addresses]
        self.interval = interval
        self._identifier = os.getpid() & 0xFFFF
        self._by_address = {target.address.packed: target for target in self.targets}
        self._sockets = {}
        for version, family, protocol in ((4, socket.AF_INET, socket.IPPROTO_ICMP), (6, socket.AF_INET6, socket.IPPROTO_ICMPV6)):
            if any(address.version == version for address in addresses):
                sock = host.namespace.socket(family, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
                sock.setblocking(False)
                self._sockets[version] = sock
        self._stopping = threading.Event()

    def stop(self):
        self._stopping.set()
        self.join(2)
        for sock in self._sockets.values():
            sock.close()

    def run(self):
        due = time.monotonic()
        while not self._stopping.is_set():
            now = time.monotonic()
            if now >= due:
                for target in self.targets:
                    self._send(target)
                due = max(due + self.interval, now)
            ready, _, _ = select.select(list(self._sockets.values()), [], [], max(due - time.monotonic(), 0))
            for sock in ready:
                self._receive(sock)

    def _send(self, target):
        number = len(target.sent_at)
        version = target.address.version
        body = struct.pack("!HHI", self._identifier, number & 0xFFFF, number)
        if version == 4:
            message = struct.pack("!BBH", ICMP_ECHO, 0, _checksum(struct.pack("!BBH", ICMP_ECHO, 0, 0) + body)) + body
        else:
            message = struct.pack("!BBH", ICMP6_ECHO, 0, 0) + body  # the kernel fills in the checksum
        target.answered.append(0)
        target.sent_at.append(time.monotonic())
        try:
            self._sockets[version].sendto(message, (str(target.address), 0))
        except OSError:
            pass  # no route or no neighbour: a lost ping

    def _receive(self, sock):
        try:
            while True:
                data, sender = sock.recvfrom(2048)
                if sock.family == socket.AF_INET:
                    data = data[(data[0] & 15) * 4:]
                if len(data) < 12 or data[0] != (ICMP_REPLY if sock.family == socket.AF_INET else ICMP6_REPLY):
                    continue
                identifier, _, number = struct.unpack_from("!HHI", data, 4)
                target = self._by_address.get(socket.inet_pton(sock.family, sender[0].partition("%")[0]))
                if target and identifier == self._identifier and number < len(target.answered) and not target.answered[number]:
                    target.answered[number] = 1
                    target.answered_count += 1
        except OSError:  # nothing more to read, or an ICMP error for an earlier ping
            return
