"""A host on a network of its own that answers ping in its way."""
import contextlib
import socket
import subprocess
import threading

from netlab.netns import NetworkNamespace

ECHO_REQUEST, ECHO_REPLY = 8, 0


def checksum(data):
    total = sum(int.from_bytes(data[i:i + 2].ljust(2, b"\0"), "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (~total & 0xFFFF).to_bytes(2, "big")


class Target:
    address = "10.9.1.2"

    def __init__(self):
        self.namespace = NetworkNamespace("target")
        subprocess.run(["ip", "link", "add", "target0", "type", "veth", "peer", "name", "eth0", "netns", self.namespace.path], check=True)
        subprocess.run(["ip", "address", "add", "10.9.1.1/24", "dev", "target0"], check=True)
        subprocess.run(["ip", "link", "set", "target0", "up"], check=True)
        self.namespace.ip("link set lo up", f"address add {self.address}/24 dev eth0", "link set eth0 up")
        self.answer = None
        self.socket = self.namespace.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        threading.Thread(target=self._serve, daemon=True).start()

    def be_silent(self):
        self.namespace.sysctl("net.ipv4.icmp_echo_ignore_all", 1)
        self.answer = None

    def vanish(self):
        self.namespace.ip(f"address del {self.address}/24 dev eth0")
        subprocess.run(["ip", "neighbor", "flush", "dev", "target0"], check=True)

    def lie(self):
        self.be_silent()
        self.answer = lambda request: request[4:8] + bytes(octet ^ 1 for octet in request[8:])

    def send_noise(self):
        self.be_silent()
        self.answer = lambda request: request[::-1] + b"\xff" * 40

    def _serve(self):
        while True:
            packet, peer = self.socket.recvfrom(65536)
            request = packet[(packet[0] & 15) * 4:]
            answer = self.answer
            if answer and request[0] == ECHO_REQUEST:
                rest = answer(request)
                reply = bytes([ECHO_REPLY, 0]) + checksum(bytes([ECHO_REPLY, 0, 0, 0]) + rest) + rest
                with contextlib.suppress(OSError):
                    self.socket.sendto(reply, peer)
