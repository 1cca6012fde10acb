"""What is done with one daemon, and the figures that come of it."""
import dataclasses
import time

from netlab.daemon import DaemonError

FAST = 0.005     # seconds between two looks at one service


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


def missing(site, without=lambda entry: False):
    servers, _ = site.table()
    return sum(1 for entry in whole_table(site.setting) - servers if not without(entry))


def whole_table(setting):
    """As kernel_table.read() gives it: hexadecimal."""
    def place(address):
        return "".join(f"{int(part):02X}" for part in address.split(".")) + ":0050"
    return {f"{place(setting.service_address(service))} {place(setting.server_address(number))}" for service in range(setting.services) for number in setting.share(service)}


def is_silent(entry):
    return 96 <= int(entry.split()[1][2:4], 16) < 128 and entry.split()[1].startswith("0A")


def play(site, figures, window, say):
    """Fills `figures` in. An exception ends it."""
    setting = site.setting
    last = site.probe(setting.services - 1)
    size = len(setting.share(setting.services - 1))
    site.write()
    figures.test, figures.test_cpu = site.config_test()
    say(f"-t {figures.test:.2f} s")

    begin = time.monotonic()
    site.start()
    site.wait(lambda: last.servers() == size, "the last service after the start", 0.02)
    site.wait(lambda: missing(site) == 0, "the whole table after the start", 0.2)
    figures.start, figures.start_cpu = time.monotonic() - begin, site.cpu()
    say(f"start {figures.start:.2f} s")

    begin = site.accepted()
    site.wait(lambda: site.accepted() - begin >= setting.servers, "the first check of each server", 1)
    time.sleep(setting.period)
    figures.memory = site.memory()
    figures.wanted_checks = setting.servers / setting.period
    figures.checks, figures.check_cpu = watch(site, window)
    figures.lost = missing(site)
    say(f"{figures.checks:.0f} checks/s, {1e6 * figures.check_cpu:.1f} us, {figures.memory >> 20} MiB")

    if setting.silent_servers:
        figures.silent = setting.silent_servers
        begin = time.monotonic()
        site.silence(True)
        site.wait(lambda: missing(site) >= figures.silent, "silent servers out of the table", 0.5)
        figures.silent_out = time.monotonic() - begin
        figures.silent_checks, _ = watch(site, window)
        figures.silent_lost = missing(site, is_silent)
        begin = time.monotonic()
        site.silence(False)
        site.wait(lambda: missing(site) == 0, "silent servers back in the table", 0.5)
        figures.back = time.monotonic() - begin
        say(f"silent ones out after {figures.silent_out:.1f} s, back after {figures.back:.1f} s")

    site.write(extra=1)
    before, cpu = site.table()[0], site.cpu()
    begin = time.monotonic()
    site.reload()
    site.wait(lambda: last.servers() == size + 1, "one server more after the reload", FAST)
    figures.reload = time.monotonic() - begin
    time.sleep(max(1, figures.reload))   # what is still being done
    figures.reload_cpu = site.cpu() - cpu - figures.check_cpu * figures.checks * (time.monotonic() - begin)
    figures.reload_changes = len(before ^ site.table()[0]) - 1
    say(f"reload {1e3 * figures.reload:.0f} ms, {1e3 * figures.reload_cpu:.0f} ms of processor")

    begin = time.monotonic()
    status = site.stop()
    figures.stop = time.monotonic() - begin
    figures.stop_left = site.table()[1]
    if status != 0:
        raise DaemonError(f"stop: status {status}")
