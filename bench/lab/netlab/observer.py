"""Who holds which address, asked from every router's kernel, and every change of it; and the adverts on the LAN.

The observer sleeps until a kernel says that something changed, then asks again: it does not believe the message, only
the table. It is driven by `pump`, has no thread, and knows nothing of the daemons' own words.
"""
import collections
import selectors
import time

from . import netlink
from .wire import Listener

# time: CLOCK_MONOTONIC when we asked; gained and lost: sets of addresses.
Change = collections.namedtuple("Change", "time router gained lost")


class NotInTime(Exception):
    """A condition that was waited for did not come true."""


class Observer:
    def __init__(self, lan):
        self.lan = lan
        self.held = {router.name: frozenset() for router in lan.routers}
        self.changes = []
        self.adverts = collections.deque(maxlen=20000)
        self.advert_count = 0
        self._selector = selectors.DefaultSelector()
        self._closers = []
        for router in lan.routers:
            sock = netlink.change_socket(router.namespace)
            self._selector.register(sock, selectors.EVENT_READ, (self._on_change, sock, router))
            self._closers.append(sock.close)
            self._ask(router)
        for interface in lan.interfaces:
            listener = Listener(lan, interface)
            self._selector.register(listener.sock, selectors.EVENT_READ, (self._on_frames, listener))
            self._closers.append(listener.close)

    def close(self):
        self._selector.close()
        for close in self._closers:
            close()

    def _on_change(self, sock, router):
        try:
            while sock.recv(1 << 16):
                pass
        except BlockingIOError:
            pass
        except OSError:  # ENOBUFS: messages were lost, and we ask anyway
            pass
        self._ask(router)

    def _ask(self, router):
        now = frozenset(address.ip for address in router.foreign_addresses())
        before = self.held[router.name]
        if now != before:
            self.held[router.name] = now
            self.changes.append(Change(time.monotonic(), router.name, now - before, before - now))

    def _on_frames(self, listener):
        adverts = listener.read()
        self.advert_count += len(adverts)
        self.adverts.extend(adverts)

    def pump(self, seconds):
        """Waits for the next thing to happen, at most `seconds`, and takes it in."""
        for key, _ in self._selector.select(max(seconds, 0)):
            handler, *arguments = key.data
            handler(*arguments)

    def ask_all(self):
        for router in self.lan.routers:
            self._ask(router)

    def wait(self, condition, seconds, what):
        """Pumps until `condition()` is true and returns the seconds that took."""
        begin = time.monotonic()
        while not condition():
            left = begin + seconds - time.monotonic()
            if left <= 0:
                raise NotInTime(f"{what}: not within {seconds:.1f} s; held: {self.describe()}")
            self.pump(min(left, 0.5))
        return time.monotonic() - begin

    def holders(self, address):
        return [name for name, held in self.held.items() if address in held]

    def describe(self):
        return ", ".join(f"{name} [{' '.join(sorted(map(str, held)))}]" for name, held in self.held.items())

    def adverts_since(self, moment, vrid=None):
        return [advert for advert in self.adverts if advert.time >= moment and vrid in (None, advert.vrid)]
