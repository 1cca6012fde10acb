"""bench/lab/flood: see there. Also run by tests/netns with a smaller flood and --states-only."""
import argparse
import ctypes
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from netlab import sandbox  # noqa: E402
from netlab.daemon import descendants, wait_for  # noqa: E402
from netlab.keepalived import Keepalived  # noqa: E402
from netlab.lan import Lan  # noqa: E402
from netlab.router import VirtualRouter  # noqa: E402
from netlab.vigild import TOP, Vigild  # noqa: E402
from netlab.workspace import Workspace  # noqa: E402

INTERVAL = 0.2
PATIENCE = 60                  # seconds; for a busy machine
MOST_MEMORY_GROWTH = 4 << 20   # bytes, both daemons' processes together
MOST_LOG_GROWTH = 64 << 10     # bytes: the rate limit allows a few lines per cause and minute
LATEST = 1.5 * INTERVAL        # a gap above this is an advert that was late or lost
SO_TIMESTAMPNS = 35
SO_ATTACH_FILTER = 26


class AdvertEar:
    """Hears the adverts of one source and nothing else: a filter in the kernel spares it the flood."""

    def __init__(self, host, source):
        self.sock = host.namespace.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        program = [(0x28, 0, 0, 12), (0x15, 0, 5, 0x0800), (0x30, 0, 0, 23), (0x15, 0, 3, 112),
                   (0x20, 0, 0, 26), (0x15, 0, 1, int.from_bytes(socket.inet_aton(source), "big")), (0x06, 0, 0, 256), (0x06, 0, 0, 0)]
        self._code = b"".join(struct.pack("HBBI", *one) for one in program)
        self._buffer = ctypes.create_string_buffer(self._code)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(program), ctypes.addressof(self._buffer)))
        self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.sock.bind(("eth0", 3))   # ETH_P_ALL
        self.sock.setblocking(False)
        self.arrivals = []

    def read(self):
        while True:
            try:
                _, extra, _, _ = self.sock.recvmsg(256, 256)
            except BlockingIOError:
                return
            for _, kind, data in extra:
                if kind == SO_TIMESTAMPNS:
                    seconds, nanoseconds = struct.unpack("qq", data)
                    self.arrivals.append(seconds + nanoseconds / 1e9)

    def gaps(self):
        self.read()
        return [later - earlier for earlier, later in zip(self.arrivals, self.arrivals[1:])]


def memory_of(daemon):
    total = 0
    for pid in descendants(daemon._roots):
        found = re.search(r"VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace"))
        total += int(found[1]) * 1024 if found else 0
    return total


def cpu_of(daemon):
    """Seconds of CPU that its processes' threads have used."""
    total = 0
    for pid in descendants(daemon._roots):
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text(encoding="ascii").split()[0])
    return total / 1e9


class Flood:
    def __init__(self, options, directory):
        self.options = options
        self.kind = Keepalived if options.daemon == "keepalived" else Vigild
        self.lan = Lan(router_count=2)
        # A bridge that looks into multicast drops frames that lie about their length; here they shall arrive.
        self.lan.switch.ip(f"link set {self.lan.bridge('eth0')} type bridge mcast_snooping 0")
        self.daemons = []
        for host, priority in zip(self.lan.routers, (200, 100)):
            daemon = self.kind(host, directory, [VirtualRouter(interval=INTERVAL, priority=priority)])
            if options.backend and self.kind is Vigild:
                command = daemon._command() + [f"--backend={options.backend}"]
                daemon._command = lambda command=command: command
            self.daemons.append(daemon)
        self.dumps = [directory / f"dumps-{number}" for number in (1, 2)]
        self.failures = []

    def start(self):
        for daemon, dump, words in zip(self.daemons, self.dumps, ("Entering MASTER STATE", "Entering BACKUP STATE")):
            dump.mkdir()
            os.environ["TMPDIR"] = str(dump)
            daemon.start()
            wait_for(lambda daemon=daemon, words=words: words in self.log(daemon), PATIENCE, f"{words} in {daemon.log}")

    def close(self):
        for daemon in self.daemons:
            if daemon.running:
                daemon.kill()
        self.lan.close()

    @staticmethod
    def log(daemon):
        return daemon.log.read_text(encoding="utf-8", errors="replace")

    def expect(self, is_right, what):
        if not is_right:
            self.failures.append(what)

    def run(self):
        ear = AdvertEar(self.lan.client, "192.0.2.1")
        ear_of_backup = AdvertEar(self.lan.client, "192.0.2.2")
        before = [(memory_of(one), cpu_of(one), len(self.log(one)), self.log(one).count("Entering")) for one in self.daemons]
        program = os.environ.get("VIGIL_FLOODER") or str(pathlib.Path(os.environ.get("VIGIL_BUILD", TOP / "build")) / "bin" / "vigil_flooder")
        command = [program, "eth0", str(self.options.rate), str(self.options.seconds)] + ([self.options.kind] if self.options.kind else [])
        process = self.lan.client.namespace.popen(command, stdout=subprocess.PIPE, text=True)
        begin = time.monotonic()
        if self.options.pause_backup:
            time.sleep(self.options.seconds / 3)
            self.pause_backup()
        while process.poll() is None and time.monotonic() < begin + self.options.seconds + PATIENCE:
            time.sleep(0.05)
            ear.read()
            ear_of_backup.read()
        if process.poll() is None:
            process.kill()
        took = time.monotonic() - begin
        kinds = dict(reversed(line.split(" ", 1)) for line in process.communicate()[0].splitlines())
        total = sum(map(int, kinds.values()))
        print(f"{total} frames of {len(kinds)} kinds in {took:.1f} s, {total / took:.0f} a second, against two {self.kind.kind}")
        self.expect(total > 0, "the flooder sent nothing")
        self.judge(before, took, ear.gaps(), len(ear_of_backup.arrivals))
        if self.kind is Vigild:
            self.judge_counters()

    def pause_backup(self):
        family = descendants(self.daemons[1]._roots)
        for number, seconds in ((signal.SIGSTOP, self.options.pause_backup), (signal.SIGCONT, 0)):
            for pid in family:
                os.kill(pid, number)
            time.sleep(seconds)

    def judge(self, before, took, gaps, backup_adverts):
        late = [gap for gap in gaps if gap > LATEST]
        print(f"adverts of the Active: {len(gaps) + 1}, longest gap {max(gaps, default=0) * 1000:.1f} ms, {len(late)} above {LATEST * 1000:.0f} ms")
        self.expect(gaps, "the Active sent nothing")
        self.expect(backup_adverts == 0, f"the Backup sent {backup_adverts} adverts")
        if not self.options.states_only:
            self.expect(not late, f"{len(late)} adverts were late or lost")
        for name, daemon, (memory, cpu, log, transitions) in zip(("Active", "Backup"), self.daemons, before):
            text = self.log(daemon)
            grown = memory_of(daemon) - memory
            print(f"{name}: {text.count('Entering') - transitions} transitions, {(cpu_of(daemon) - cpu) / took * 100:.1f} % of a CPU, "
                  f"{grown / 1024:+.0f} KiB of memory, {len(text) - log} bytes of log")
            self.expect(daemon.running, f"the {name} died")
            self.expect(text.count("Entering") == transitions, f"the {name} changed its state")
            self.expect(grown <= MOST_MEMORY_GROWTH, f"the {name} grew by {grown >> 10} KiB")
            self.expect(len(text) - log <= MOST_LOG_GROWTH, f"the {name} logged {len(text) - log} bytes")

    def judge_counters(self):
        for name, daemon, dump in zip(("Active", "Backup"), self.daemons, self.dumps):
            os.kill(daemon._roots[0], signal.SIGUSR1)
            file = dump / "keepalived.data"
            wait_for(file.exists, PATIENCE, f"the dump of the {name}")
            text = file.read_text(encoding="utf-8", errors="replace")
            junk = re.search(r"(\d+) of junk(.*)", text)
            refused = dict(re.findall(r"^   (\w+) = (\d+)$", text.partition("Frames refused")[2].partition("Interfaces")[0], re.MULTILINE))
            lost = re.search(r"(\d+) dropped by the kernel", text)
            listened = re.search(r"(\d+) timers put off", text)
            print(f"{name}: {lost[1] if lost else '?'} lost for want of room, {listened[1] if listened else '?'} timers put off")
            print(f"{name}: {junk[1] if junk else 0} frames refused by the filter{junk[2] if junk else ''}; by the engine: "
                  + ", ".join(f"{cause} {count}" for cause, count in refused.items()))
            if self.options.kind:
                self.expect(sum(map(int, refused.values())) + int(junk[1] if junk else 0) > 0, f"the {name} counted nothing")
                continue
            self.expect(junk and int(junk[1]) > 0, f"the {name} counted no junk")
            for cause in ("bad_checksum", "frame_truncated", "truncated", "no_addresses", "version_mismatch", "foreign_carp"):
                self.expect(int(refused.get(cause, 0)) > 0, f"the {name} did not count {cause}")
            for cause in ("bad_ttl", "unknown_vrid", "bad_version", "ip_fragment"):
                self.expect(cause not in refused, f"{cause} passed the filter of the {name}")


def main():
    parser = argparse.ArgumentParser(prog="bench/lab/flood")
    parser.add_argument("--rate", type=int, default=50_000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--daemon", choices=("vigild", "keepalived"), default="vigild")
    parser.add_argument("--backend", choices=("uring", "epoll"))
    parser.add_argument("--kind")
    parser.add_argument("--pause-backup", type=float, default=0)
    parser.add_argument("--states-only", action="store_true")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    reason = sandbox.why_not() or (Keepalived if options.daemon == "keepalived" else Vigild).why_not()
    if reason:
        print(f"skipped: {reason}")
        return sandbox.SKIPPED
    sandbox.enter()
    workspace = Workspace("vigil-flood-")
    flood = Flood(options, workspace.path)
    try:
        flood.start()
        flood.run()
    finally:
        flood.close()
        workspace.finish(keep=options.keep)
    print("\n".join(f"FAILED: {failure}" for failure in flood.failures) or "nothing moved")
    return 1 if flood.failures else 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)
