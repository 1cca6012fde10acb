"""What happens around the daemons while their adverts are measured: load, reloads, a log device that hangs."""
import contextlib
import os
import subprocess
import threading

from netlab.daemon import DaemonError

# 8 workers on the CPUs, 4 on the disc.
STRESS = ("stress-ng", "--cpu", "8", "--hdd", "4", "--hdd-bytes", "64M", "--timeout", "120s", "--quiet")
RELOAD_SECONDS = 1.0
# A router more, that the LAN does not hear: its only peer is nobody.
MORE = """
vrrp_instance MORE {{
    interface {interface}
    virtual_router_id {vrid}
    priority 100
    advert_int 1
    unicast_peer {{
        {peer}
    }}
    virtual_ipaddress {{
        10.255.255.254/32
    }}
}}
"""


@contextlib.contextmanager
def stress(directory):
    """Load on CPUs and disc, outside of the routers' namespaces. DaemonError when it had ended before its time."""
    load = subprocess.Popen([*STRESS, "--temp-path", str(directory)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield load
        if load.poll() is not None:
            raise DaemonError(f"stress-ng ended with {load.returncode} while adverts were measured beside it")
    finally:
        load.terminate()
        load.wait()


class _Reloads:
    """`count`: how often each daemon was told to read its file again. `error`: what ended that, or None."""

    def __init__(self, daemons, paths, more):
        self._daemons, self._paths, self._more = daemons, paths, more
        self._texts = [path.read_text(encoding="ascii") for path in paths]
        self._ended = threading.Event()
        self._worker = threading.Thread(target=self._work)
        self.count, self.error = 0, None
        self._worker.start()

    def _reload(self, addition):
        for daemon, path, text in zip(self._daemons, self._paths, self._texts):
            path.write_text(text + addition, encoding="ascii")
            daemon.reload()

    def _work(self):
        try:
            while not self._ended.wait(RELOAD_SECONDS):
                self._reload("" if self.count % 2 else self._more)
                self.count += 1
        except Exception as error:  # told to whoever measures, because a thread has nobody to tell
            self.error = error

    def end(self):
        self._ended.set()
        self._worker.join()
        self._reload("")

    def complaint(self):
        if self.error:
            return f"reloading failed after {self.count}: {self.error!r}"
        if not all(daemon.running for daemon in self._daemons):
            return "a daemon ended while it was reloaded"
        return None if self.count else "no reload while adverts were measured"


@contextlib.contextmanager
def reloads(daemons, paths, more):
    """Once a second each daemon reads its file again, which has the text `more` at its end every other time. At the end the files are as they were.
    Gives an object with their `count`; DaemonError when they stopped before the end, or there was none."""
    work = _Reloads(daemons, paths, more)
    try:
        yield work
    finally:
        work.end()
    if complaint := work.complaint():
        raise DaemonError(complaint)


def block(log):
    """Makes `log` a pipe that is full and that nobody reads. Returns its descriptor, to be closed at the end."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(log)
    os.mkfifo(log)
    pipe = os.open(log, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(pipe, bytes(4096))
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(pipe, b"\n")
    return pipe
