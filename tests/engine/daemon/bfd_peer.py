"""Real BFD neighbours on another router of the LAN: FRR's bfdd, keepalived, and another vigild."""
import contextlib
import hashlib
import os
import pathlib
import pwd
import shutil
import signal
import subprocess

from netlab.daemon import wait_for
from netlab.frr import PATHSPACES, PROGRAMS
from netlab.keepalived import Keepalived


class Bfdd:
    """FRR's bfdd with the zebra it needs. `peers`: lines of its `bfd` block."""

    why_not = None if (PROGRAMS / "bfdd").exists() else "FRR's bfdd is not installed (packaging/install-dependencies peers)"

    def __init__(self, host, directory, peers):
        self.host = host
        mark = hashlib.sha1(str(directory).encode()).hexdigest()[:8]
        self.run = pathlib.Path(directory).parent / f"bfdd-{mark}"   # the path of a socket has at most 107 characters
        self.run.mkdir(parents=True, exist_ok=True)
        self.space = f"vigil-bfd-{mark}"
        self.log = self.run / "bfdd.log"
        self.pids = []
        self.peers = peers

    def start(self):
        user = pwd.getpwnam("frr")
        for place in PATHSPACES:
            (place / self.space).mkdir(parents=True, exist_ok=True)
            os.chown(place / self.space, user.pw_uid, user.pw_gid)
        for path in (self.run, *self.run.parents):   # frr must be able to enter
            if path == pathlib.Path("/tmp"):
                break
            with contextlib.suppress(PermissionError):
                path.chmod(path.stat().st_mode | 0o111)
        os.chown(self.run, user.pw_uid, user.pw_gid)
        (self.run / "zebra.conf").write_text(f"hostname {self.host.name}\nlog file {self.run}/zebra.log\n", encoding="ascii")
        lines = [f"hostname {self.host.name}", f"log file {self.log} debugging", "debug bfd peer", "debug bfd network", "bfd", *self.peers]
        (self.run / "bfdd.conf").write_text("\n".join(lines) + "\n", encoding="ascii")
        self.pids = [self._start_program("zebra"), self._start_program("bfdd")]

    def _start_program(self, name):
        pid_file, socket = self.run / f"{name}.pid", self.run / "zserv.sock"
        for old in (pid_file, socket) if name == "zebra" else (pid_file,):
            old.unlink(missing_ok=True)
        command = [str(PROGRAMS / name), "-N", self.space, "-d", "-f", str(self.run / f"{name}.conf"), "-i", str(pid_file),
                   "-z", str(socket), "--vty_socket", str(self.run), "-A", "127.0.0.1"]
        if name == "bfdd":
            command += ["--bfdctl", str(self.run / "bfdd.sock")]
        with open(self.run / f"{name}.out", "ab") as output:
            self.host.namespace.popen(command, nice=-15, stdin=subprocess.DEVNULL, stdout=output, stderr=output).wait(20)
        wait_for(lambda: pid_file.exists() and pid_file.read_text(encoding="ascii").strip(), 20, f"FRR's {name} writes {pid_file}")
        if name == "zebra":
            wait_for(socket.exists, 20, "FRR's zebra opens its socket")
        return int(pid_file.read_text(encoding="ascii"))

    def command(self, *lines):
        """The answer of bfdd's terminal."""
        words = [word for line in lines for word in ("-c", line)]
        return subprocess.run(["vtysh", "--vty_socket", str(self.run), "-d", "bfdd", *words], capture_output=True, text=True,
                              check=False, timeout=30).stdout

    def kill(self):
        """Without a word to the neighbour."""
        for pid in self.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.pids = []

    def close(self):
        self.kill()
        for place in PATHSPACES:
            shutil.rmtree(place / self.space, ignore_errors=True)


class KeepalivedBfd(Keepalived):
    """keepalived with its BFD process."""

    def _command(self):
        return [*super()._command(), "-b", str(self.directory / f"{self.host.name}.bfd.pid")]



