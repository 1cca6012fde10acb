"""What can be seen and asked on the LAN itself: advertisements heard at the switch, and ARP questions from the client."""
import collections
import ipaddress
import socket
import struct
import time

ETH_P_ALL, ETH_P_ARP = 0x0003, 0x0806
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC = 263, 1, 1
SO_TIMESTAMPNS = 35
IPPROTO_VRRP, IPPROTO_AH = 112, 51

# time: seconds of CLOCK_MONOTONIC, when the kernel saw the frame. interval: seconds. addresses: those advertised.
Advert = collections.namedtuple("Advert", "time mac source destination version vrid priority interval addresses")


def read_advert(frame, arrival):
    """The advertisement in an Ethernet frame, or None. Checks nothing that identifying it does not need."""
    if len(frame) < 34:
        return None
    offset, (ether_type,) = 14, struct.unpack_from("!H", frame, 12)
    if ether_type == 0x8100:
        offset, (ether_type,) = 18, struct.unpack_from("!H", frame, 16)
    if ether_type == 0x0800:
        protocol, end = frame[offset + 9], offset + (frame[offset] & 15) * 4
        addresses = frame[offset + 12:offset + 16], frame[offset + 16:offset + 20]
        if protocol == IPPROTO_AH and len(frame) > end + 2:
            protocol, end = frame[end], end + (frame[end + 1] + 2) * 4
    elif ether_type == 0x86DD and len(frame) >= offset + 40:
        protocol, end = frame[offset + 6], offset + 40
        addresses = frame[offset + 8:offset + 24], frame[offset + 24:offset + 40]
    else:
        return None
    if protocol != IPPROTO_VRRP or len(frame) < end + 8 or frame[end] not in (0x21, 0x31):
        return None
    version, vrid, priority = frame[end] >> 4, frame[end + 1], frame[end + 2]
    interval = frame[end + 5] if version == 2 else (struct.unpack_from("!H", frame, end + 4)[0] & 0xFFF) / 100
    source, destination = (ipaddress.ip_address(raw) for raw in addresses)
    size = len(source.packed)
    places = range(end + 8, min(end + 8 + frame[end + 3] * size, len(frame) - size + 1), size)
    carried = tuple(ipaddress.ip_address(frame[place:place + size]) for place in places)
    return Advert(arrival, frame[6:12].hex(":"), source, destination, version, vrid, priority, interval, carried)


class Listener:
    """Hears every advertisement that crosses one bridge of the switch."""

    def __init__(self, lan, interface):
        self.sock = lan.switch.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.sock.bind((lan.bridge(interface), ETH_P_ALL))
        with lan.switch.entered():
            index = socket.if_nametoindex(lan.bridge(interface))
        # A promiscuous bridge device is given what it forwards between its ports, unicast included.
        self.sock.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, struct.pack("=iHH8s", index, PACKET_MR_PROMISC, 0, b""))
        self.sock.setblocking(False)

    def close(self):
        self.sock.close()

    def read(self):
        """Adverts that have arrived since the last call."""
        to_monotonic = time.monotonic() - time.time()
        found = []
        while True:
            try:
                frame, ancillary, _, _ = self.sock.recvmsg(2048, 64)
            except BlockingIOError:
                return found
            seconds, nanoseconds = struct.unpack("=qq", ancillary[0][2][:16])
            advert = read_advert(frame, seconds + nanoseconds / 1e9 + to_monotonic)
            if advert:
                found.append(advert)


def who_has(host, interface, address, wait_seconds=0.25):
    """Asks the LAN by ARP from `host` and returns the MACs of all that answer within the time, sorted."""
    sock = host.namespace.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
    with sock:
        sock.bind((interface, ETH_P_ARP))
        mac = bytes.fromhex(host.mac(interface).replace(":", ""))
        own = next(ip for text in host.addresses[interface] if (ip := ipaddress.ip_interface(text).ip).version == 4)
        sock.send(b"\xff" * 6 + mac + struct.pack("!HHHBBH", ETH_P_ARP, 1, 0x0800, 6, 4, 1)
                  + mac + own.packed + bytes(6) + address.packed)
        answers, deadline = set(), time.monotonic() + wait_seconds
        while (left := deadline - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                frame = sock.recv(2048)
            except TimeoutError:
                break
            if len(frame) >= 42 and frame[20:22] == b"\0\2" and frame[28:32] == address.packed and frame[32:38] == mac:
                answers.add(frame[22:28].hex(":"))
        return sorted(answers)
