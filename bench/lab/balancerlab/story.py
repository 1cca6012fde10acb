"""What is done with one daemon, and the figures that come of it."""
import dataclasses
import time

from netlab.daemon import DaemonError

FAST = 0.005     # seconds between two looks at one service
BUSY = 0.97      # of the checks that are wanted: with fewer the processor is full, and what a reload costs besides cannot be told


@dataclasses.dataclass
class Figures:
    """None: it was not reached; `trouble` says why."""
    test: float = None             # -t, seconds
    test_cpu: float = None         # seconds of processor
    start: float = None            # from the start until the kernel has the whole table
    start_cpu: float = None
    memory: int = None             # octets of all its processes, when each server has been checked
    checks: float = None           # made a second
    wanted_checks: float = None    # a second, if each server were checked once in a period
    check_cpu: float = None        # seconds of processor for each check
    lost: int = None               # good servers that were out of the table in the end of the watch
    silent: int = None             # servers that went silent
    silent_out: float = None       # until the last of them was out
    silent_checks: float = None    # checks of the others, a second, while they were
    silent_lost: int = None        # good servers that were out then
    back: float = None             # until all were in again
    reload: float = None           # from the signal until the kernel has the one server more
    reload_cpu: float = None
    reload_changes: int = None     # what else was different in the table afterwards
    stop: float = None
    stop_left: int = None          # services in the table after it
    trouble: str = ""


def watch(site, seconds):
    """Checks a second, and seconds of processor for each."""
    checks, cpu, begin = site.accepted(), site.cpu(), time.monotonic()
    time.sleep(seconds)
    made, used, elapsed = site.accepted() - checks, site.cpu() - cpu, time.monotonic() - begin
    return made / elapsed, used / made if made else None


def begin(site, figures, window):
    site.write()
    figures.test, figures.test_cpu = site.config_test()
    start = time.monotonic()
    site.start()
    site.wait_for_whole_table()
    figures.start, figures.start_cpu = time.monotonic() - start, site.cpu()


def steady(site, figures, window):
    before = site.accepted()
    site.wait(lambda: site.accepted() - before >= site.setting.servers, "the first check of each server", 1)
    time.sleep(site.setting.period)   # of those that come in a heap in the end
    figures.memory = site.memory()
    figures.wanted_checks = site.setting.servers / site.setting.period
    figures.checks, figures.check_cpu = watch(site, window)
    figures.lost = len(site.missing())


def silence(site, figures, window):
    if not site.setting.silent_servers:
        return
    figures.silent = site.setting.silent_servers
    since = time.monotonic()
    site.silence(True)
    try:
        site.wait(lambda: len(site.missing()) >= figures.silent, "silent servers out of the table", 0.5)
        figures.silent_out = time.monotonic() - since
        figures.silent_checks, _ = watch(site, window)
        figures.silent_lost = len(site.missing()) - figures.silent
    finally:
        site.silence(False)
    since = time.monotonic()
    site.wait(lambda: not site.missing(), "silent servers back in the table", 0.5)
    figures.back = time.monotonic() - since


def reload(site, figures, window):
    site.write(extra=1)
    before, cpu, since = site.table(), site.cpu(), time.monotonic()
    figures.reload = site.reload_and_wait(FAST)
    time.sleep(max(1, figures.reload))   # what is still being done
    if figures.checks >= BUSY * figures.wanted_checks:
        figures.reload_cpu = site.cpu() - cpu - figures.check_cpu * figures.checks * (time.monotonic() - since)
    if before is not None:
        figures.reload_changes = len(before ^ site.table()) - 1


def stop(site, figures, window):
    since = time.monotonic()
    status = site.stop()
    figures.stop = time.monotonic() - since
    figures.stop_left = site.services()
    if status != 0:
        raise DaemonError(f"stop: status {status}")


def play(site, figures, window, say):
    """Fills `figures` in. A step that fails is told of and does not keep the others from being made, but for the first."""
    for step in (begin, steady, silence, reload, stop):
        since = time.monotonic()
        try:
            step(site, figures, window)
            say(f"{step.__name__}: {time.monotonic() - since:.1f} s")
        except (DaemonError, OSError) as error:
            say(f"{step.__name__}: {error}")
            figures.trouble += ("; " if figures.trouble else "") + f"{step.__name__}: {error}"
            if step is begin:
                return
