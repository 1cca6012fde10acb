"""The daemons as the density lab starts them: keepalived's options `-n -l -P`, and otherwise each one's own defaults."""
import os
import pathlib
import select
import subprocess
import time

from netlab.daemon import DaemonError, descendants
from netlab.keepalived import Keepalived
from netlab.vigild import Vigild

from . import kernel


class _Dense:
    """Runs a file that exists already; may take as long to stop as thousands of routers need."""

    stop_seconds = 60
    arguments = ()
    is_vigil = False
    has_blocked_log = False

    def __init__(self, host, directory, configuration):
        super().__init__(host, directory, configuration=configuration)

    def _command(self):
        command = super()._command()
        command.remove("-D")
        return command + list(self.arguments)

    def processes(self):
        return descendants(self._roots)

    def cpu_seconds(self):
        return kernel.cpu_seconds(self.processes())

    def memory(self):
        return kernel.memory(self.processes())

    def config_test(self, seconds):
        """Has the file checked, as before a start. Returns seconds of wall-clock time and of CPU, from exec to exit."""
        with open(self.log, "ab") as log:
            process = self.host.namespace.popen([self.program(), "-t", "-f", str(self.configuration)], stdin=subprocess.DEVNULL,
                                                stdout=log, stderr=log, run_directory=self._run_directory)
        begin, before = time.monotonic(), kernel.cpu_seconds([process.pid])
        watch = os.pidfd_open(process.pid)
        try:
            ended = select.select([watch], [], [], seconds)[0]
            wall = time.monotonic() - begin
            if not ended:
                process.kill()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            os.close(watch)
        if not ended:
            raise DaemonError(f"{self.kind} -t did not end within {seconds:.0f} s")
        if process.returncode:
            raise DaemonError(f"{self.kind} -t ended with exit code {process.returncode}: {self.last_words()}")
        return wall, usage.ru_utime + usage.ru_stime - before

    def last_words(self, count=3):
        if self.has_blocked_log:
            return "its log is blocked"
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]
        return " | ".join(line[-160:] for line in lines) or "it said nothing"


class DenseVigild(_Dense, Vigild):
    kind = "vigil"
    is_vigil = True


class DenseKeepalived(_Dense, Keepalived):
    kind = "keepalived"


def make_kind(name, backend=""):
    """A daemon class for `vigil`, `keepalived` or the path of a program that takes keepalived's file and options."""
    if name in ("vigil", "vigild"):
        base = DenseVigild
    elif name == "keepalived":
        base = DenseKeepalived
    else:
        path = str(pathlib.Path(name).resolve())
        base = DenseVigild if pathlib.Path(name).name.startswith("vigil") else DenseKeepalived
        why_not = None if os.access(path, os.X_OK) else f"{name} is no program; known by name: vigil, keepalived"
        base = type("Named", (base,), {"kind": name, "program": classmethod(lambda cls: path),
                                       "why_not": classmethod(lambda cls, virtual_router=None: why_not)})
    if not base.is_vigil or not backend:
        return base
    return type("WithBackend", (base,), {"kind": f"{base.kind} {backend}", "arguments": (f"--backend={backend}",)})
