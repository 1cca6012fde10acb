"""FILE_CHECK and BFD_CHECK: nobody is asked, somebody tells, so it takes a daemon. The time is that from the act to the line in the log."""
import os
import pathlib
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "engine" / "daemon"))
from bfd_peer import Bfdd  # noqa: E402
from rig import Rig  # noqa: E402

from versions_row import Result  # noqa: E402

DETECTION = "1 s"   # min_rx 100, multiplier 10
UP, DOWN = "Adding service", "Removing service"


def service(check):
    return ("virtual_server 10.0.0.1 80 {\n delay_loop 1\n lb_algo rr\n lb_kind NAT\n protocol TCP\n"
            f" real_server 192.0.2.2 80 {{\n {check}\n }}\n}}\n")


class Watch:
    """Acts, and waits for what the log says of it."""

    def __init__(self, rig, checker):
        self.rig, self.checker = rig, checker
        self.results = []

    def row(self, version, what, act, words, limit="", and_line=""):
        """`words`: the line that is the verdict. `and_line`: one that comes as well."""
        self.rig.mark()
        start = time.monotonic()
        act()
        line = self.rig.wait_for_line(words)
        milliseconds = round((time.monotonic() - start) * 1000)
        said = self.rig.wait_for_line(and_line) if and_line else ""
        is_up = words == UP
        cause = said or ("" if is_up else line.partition(": ")[2])
        self.results.append(Result(self.checker, version, what, "ok" if is_up else "failed", cause.replace(str(self.rig.directory), ""), milliseconds, limit))

    def between(self, act, words):
        self.rig.mark()
        act()
        self.rig.wait_for_line(words)


def replace(path, content):
    beside = path.with_suffix(".new")
    beside.write_bytes(content)
    beside.rename(path)


def file_rows(directory):
    rig = Rig(directory / "file", "", options=["-C"])
    path = rig.directory / "state"
    rig.configuration.write_text(f"track_file f {{\n file {path}\n weight 1\n}}\n" + service("FILE_CHECK {\n track_file f\n weight 0\n }"), encoding="ascii")
    replace(path, b"1\n")
    rig.start()
    rig.wait_for_line("Starting with quorum down")
    watch = Watch(rig, "FILE_CHECK")

    def be_fifo():
        os.mkfifo(path.with_suffix(".fifo"))
        path.with_suffix(".fifo").rename(path)

    def fail():
        watch.between(lambda: replace(path, b"1\n"), DOWN)

    watch.row("good", "0", lambda: replace(path, b"0\n"), UP)
    watch.row("dead", "1", lambda: replace(path, b"1\n"), DOWN)
    watch.row("dead", "no file: 0", path.unlink, UP)
    fail()
    watch.row("hanging", "a FIFO in its place, which is not opened: 0", be_fifo, UP, and_line="Track file f")
    watch.row("lying", "a number that no weight can have", lambda: replace(path, b"9" * 4000), DOWN)
    watch.row("garbage", "4 KiB of noise: 0", lambda: replace(path, bytes(range(128, 256)) * 32), UP, and_line="does not begin with a number")
    rig.close()
    return watch.results


class Noise:
    """Datagrams that are no BFD, from the neighbour's address and all the time."""

    def __init__(self, host):
        self.socket = host.namespace.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 255)
        self.socket.bind(("192.0.2.2", 49999))
        self.is_over = threading.Event()

    def start(self):
        threading.Thread(target=self._send, daemon=True).start()

    def _send(self):
        number = 0
        while not self.is_over.wait(0.01):
            number += 1
            self.socket.sendto(bytes((number * 37 + i * i) & 255 for i in range(24 + number % 40)), ("192.0.2.1", 3784))


def bfd_rows(directory):
    if Bfdd.why_not:
        print(f"BFD_CHECK ... skipped '{Bfdd.why_not}'")
        return []
    text = "bfd_instance peer {\n neighbor_ip 192.0.2.2\n min_rx 100\n min_tx 100\n multiplier 10\n}\n" + service("alpha\n BFD_CHECK {\n name peer\n alpha\n }")
    rig = Rig(directory / "bfd", text, options=["-C"], router_count=2)
    neighbour = Bfdd(rig.lan.routers[1], rig.directory, [" peer 192.0.2.1", "  detect-multiplier 10", "  receive-interval 100", "  transmit-interval 100"])
    noise = Noise(rig.lan.routers[1])
    watch = Watch(rig, "BFD_CHECK")

    def signal_all(number):
        for pid in neighbour.pids:
            os.kill(pid, number)

    try:
        rig.start()
        rig.wait_for_line("Starting with quorum down")
        watch.row("good", "FRR's bfdd, started", neighbour.start, UP)
        watch.row("hanging", "bfdd, stopped", lambda: signal_all(19), DOWN, DETECTION, "control detection time expired")
        watch.between(lambda: signal_all(18), UP)
        watch.row("lying", "bfdd says that it is shut down", lambda: neighbour.command("configure terminal", "bfd", "peer 192.0.2.1", "shutdown"), DOWN,
                  and_line="neighbor signaled session down")
        watch.between(lambda: neighbour.command("configure terminal", "bfd", "peer 192.0.2.1", "no shutdown"), UP)
        watch.row("dead", "bfdd, killed", neighbour.kill, DOWN, DETECTION, "control detection time expired")
        watch.between(neighbour.start, UP)
        noise.start()
        watch.row("garbage", "bfdd, killed, and noise goes on from its address", neighbour.kill, DOWN, DETECTION, "control detection time expired")
    finally:
        noise.is_over.set()
        neighbour.close()
        rig.close()
    return watch.results
