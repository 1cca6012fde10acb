"""What happens around the daemons while their adverts are measured: load, reloads, a log device that hangs."""
import contextlib
import os
import subprocess
import threading

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
    """Load on CPUs and disc, outside of the routers' namespaces."""
    load = subprocess.Popen([*STRESS, "--temp-path", str(directory)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        load.terminate()
        load.wait()


@contextlib.contextmanager
def reloads(daemons, paths, more):
    """Once a second each daemon reads its file again, which has the text `more` at its end every other time. At the end the files are as they were."""
    texts = [path.read_text(encoding="ascii") for path in paths]
    ended = threading.Event()

    def work():
        has_more = False
        while not ended.wait(RELOAD_SECONDS):
            has_more = not has_more
            for daemon, path, text in zip(daemons, paths, texts):
                path.write_text(text + (more if has_more else ""), encoding="ascii")
                daemon.reload()
    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        ended.set()
        worker.join()
        for daemon, path, text in zip(daemons, paths, texts):
            path.write_text(text, encoding="ascii")
            daemon.reload()


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
