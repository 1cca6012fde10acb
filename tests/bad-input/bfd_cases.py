"""Cases about BFD: blocks of the configuration, and what comes to UDP port 3784; see cases.py."""
import os
import re
import signal
import socket
import struct

from cases import case, expect
from rig import PATIENCE, VIP, instance, wait_for

BFD = "BFD"
NEIGHBOUR = "192.0.2.250"      # the LAN's client
BLOCK = "bfd_instance peer {\n    neighbor_ip 192.0.2.250\n}\n"
TRACKS_SESSION = instance("track_bfd {\n peer\n }")
DOWN, INIT, UP = 1, 2, 3


def tracks(block, name="peer"):
    return block + instance(f"track_bfd {{\n {name} weight 10\n }}")


def complains(title, text, *words):
    @case(BFD, title, text=text)
    def act(rig):
        rig.start()
        rig.wait_holds()
        return [rig.wait_for_line(one) for one in words], f"{VIP} is set all the same"


complains("a bfd_instance without a neighbour", "bfd_instance peer {\n    min_rx 10\n}\n" + instance(), "has no 'neighbor_ip'")
complains("`min_rx 0.5` in a bfd_instance", tracks(BLOCK.replace("}", "    min_rx 0.5\n}")), "milliseconds from 1")
complains("two bfd_instances with one neighbour", tracks(BLOCK + BLOCK.replace("peer", "second")), "has a session with 192.0.2.250 already")
complains("track_bfd of a session that there is not, `pear`", tracks(BLOCK, "pear"), "did you mean 'peer'")
complains("track_bfd of a session for checkers only", tracks(BLOCK.replace("}", "    checker\n}")), "is for checkers only")


def control(state, mine=77, yours=0, version=1, multiplier=255, length=24, flags=0):
    """A control packet of somebody who sends every ten seconds, so that the session lives for the length of a case."""
    return struct.pack("!BBBBIIIII", version << 5, state << 6 | flags, multiplier, length, mine, yours, 10_000_000, 10_000_000, 0)


class Peer:
    """A neighbour at the LAN's client, just good enough to be Up."""

    def __init__(self, rig):
        self.rig = rig
        self.socket = rig.lan.client.namespace.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, 0)
        self.socket.bind((NEIGHBOUR, 3784))
        self.socket.settimeout(PATIENCE)
        self.yours = 0

    def send(self, payload, ttl=255, source=None):
        sender = self.rig.lan.client.namespace.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, 0)
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        sender.bind((source or NEIGHBOUR, 0))
        sender.sendto(payload, ("192.0.2.1", 3784))
        sender.close()

    def come_up(self):
        self.rig.start()
        while True:
            heard = struct.unpack("!BBBBIIIII", self.socket.recv(100))
            self.yours, state = heard[4], heard[1] >> 6
            if state == UP:
                break
            self.send(control(DOWN if state == DOWN else UP, yours=self.yours))
        self.rig.wait_for_line("BFD session peer is Up")
        self.rig.wait_holds()
        self.rig.mark()

    def close(self):
        self.socket.close()


def refused_count(rig, counter):
    path = rig.directory / "keepalived_bfd.data"
    path.unlink(missing_ok=True)
    rig.signal(signal.SIGUSR1)
    wait_for(path.exists, PATIENCE, "the state dump is written")
    found = dict(re.findall(r"^   (\w+) +(\d+)$", path.read_text(), re.MULTILINE))
    return int(found[counter])


def refused_packet(title, counter, payload, **how):
    """`payload`: made by a function of the peer, when it knows our discriminator."""
    @case(BFD, title, text=BLOCK + TRACKS_SESSION)
    def act(rig):
        peer = Peer(rig)
        try:
            peer.come_up()
            if "source" in how:
                rig.lan.client.namespace.ip(f"address add {how['source']}/24 dev eth0")
            peer.send(payload(peer), **how)
            wait_for(lambda: refused_count(rig, counter) == 1, PATIENCE, f"the counter {counter} is 1")
        finally:
            peer.close()
        expect(rig.holds() and not rig.find("Entering"), "the state changed")
        return [], f"counted as `{counter}`; the session stays Up, the instance MASTER"


refused_packet("Down, 23 octets", "truncated", lambda peer: control(DOWN, yours=peer.yours)[:23])
refused_packet("Down, BFD version 2", "bad_version", lambda peer: control(DOWN, yours=peer.yours, version=2))
refused_packet("Down, Length 60 in 24 octets", "bad_length", lambda peer: control(DOWN, yours=peer.yours, length=60))
refused_packet("Down, Detect Mult 0", "zero_multiplier", lambda peer: control(DOWN, yours=peer.yours, multiplier=0))
refused_packet("Down, M bit", "multipoint", lambda peer: control(DOWN, yours=peer.yours, flags=1))
refused_packet("Down, My Discriminator 0", "zero_my_discriminator", lambda peer: control(DOWN, mine=0, yours=peer.yours))
refused_packet("Up without Your Discriminator", "zero_your_discriminator", lambda peer: control(UP))
refused_packet("Down, with authentication", "authenticated", lambda peer: control(DOWN, yours=peer.yours, length=26, flags=4) + b"\1\2")
refused_packet("Down with a discriminator that is not ours", "unknown_discriminator", lambda peer: control(DOWN, yours=peer.yours ^ 0x10000))
refused_packet("Down from a stranger", "unknown_neighbor", lambda peer: control(DOWN), source="192.0.2.66")
refused_packet("Down from a stranger who knows our discriminator", "wrong_address", lambda peer: control(DOWN, yours=peer.yours), source="192.0.2.66")
refused_packet("Down with TTL 254 (came over a router)", "too_many_hops", lambda peer: control(DOWN, yours=peer.yours), ttl=254)


@case(BFD, "20,000 datagrams of noise in a burst", text=BLOCK + TRACKS_SESSION)
def noise(rig):
    peer = Peer(rig)
    try:
        peer.come_up()
        sender = rig.lan.client.namespace.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, 0)
        for _ in range(20_000):
            sender.sendto(os.urandom(24), ("192.0.2.1", 3784))
        sender.close()
        peer.send(control(UP, yours=peer.yours, flags=0x20))     # a Poll: is it answered?
        while not peer.socket.recv(100)[1] & 0x10:
            pass
    finally:
        peer.close()
    expect(rig.holds() and not rig.find("Entering"), "the state changed")
    return [], "the neighbour's Poll behind it is answered; the session stays Up, the instance MASTER"


@case(BFD, "a bfd_instance on a host where another program has the port", text=BLOCK + TRACKS_SESSION)
def taken(rig):
    other = rig.host.namespace.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, 0)
    other.bind(("0.0.0.0", 3784))
    rig.start()
    lines = [rig.wait_for_line("cannot hear: bind UDP port 3784"), rig.wait_for_line("Entering FAULT STATE")]
    other.close()
    return lines, f"tried again every 10 s; FAULT, {VIP} is not set"
