"""The main job of bench/lab/balancer: starts the guest, and in it plays the story with each daemon."""
import argparse
import contextlib
import os
import pathlib
import platform
import shutil
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests" / "uml"))
import guest  # noqa: E402
from balancerlab import report, story  # noqa: E402
from balancerlab.setting import CHECKS, Setting  # noqa: E402
from balancerlab.site import Site, SiteWithoutTable  # noqa: E402
from densitylab import machine  # noqa: E402
from netlab import sandbox  # noqa: E402
from netlab.keepalived import Keepalived  # noqa: E402
from netlab.vigild import Vigild  # noqa: E402
from netlab.workspace import Workspace  # noqa: E402

IN_GUEST = "VIGIL_BALANCER_IN_GUEST"   # the directory for logs; set in the guest
MODULES = ["veth", "ip_vs", "ip_vs_wlc"]
DOCUMENT = TOP / "docs" / "balancer.md"
KINDS = {"vigil": Vigild, "keepalived": Keepalived}
MEMORY = "3G"
BOOT = 60   # seconds
NICE = -10  # a guest that waits for compilers would measure them


def read_options():
    parser = argparse.ArgumentParser(prog="bench/lab/balancer", description="See bench/lab/balancer --help")
    parser.add_argument("--daemon", default="vigil,keepalived")
    parser.add_argument("--services", type=int, default=2277)
    parser.add_argument("--servers", type=int, default=37205)
    parser.add_argument("--period", type=float, default=6, help="seconds")
    parser.add_argument("--check", choices=CHECKS, default="tcp")
    parser.add_argument("--silent", type=float, default=1, help="percent")
    parser.add_argument("--window", type=float, default=30, help="seconds")
    parser.add_argument("--patience", type=float, default=600, help="seconds")
    parser.add_argument("--here", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    options.daemon = options.daemon.split(",")
    unknown = set(options.daemon) - set(KINDS)
    if unknown:
        parser.error(f"no such daemon: {', '.join(sorted(unknown))}")
    if options.here and options.daemon != ["vigil"]:
        parser.error("--here is for vigil alone: keepalived does not check without IPVS")
    if not 0 < options.services <= options.servers <= 1_000_000:
        parser.error("there must be services, and at least as many servers")
    return options


def why_not(kinds, is_here):
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = None if shutil.which("nginx", path=path) else "nginx is not here (Debian package nginx-light)"
    return (sandbox.why_not() if is_here else guest.why_not()) or missing or next((reason for reason in (KINDS[name].why_not() for name in kinds) if reason), None)


def play(options, directory):
    """Daemon -> Figures."""
    setting = Setting(options.services, options.servers, options.period, options.check, options.silent)
    results = {}
    for name in options.daemon:
        figures = results[name] = story.Figures()
        site = (SiteWithoutTable if options.here else Site)(KINDS[name], directory / name, setting, options.patience)
        try:
            story.play(site, figures, options.window, lambda text, name=name: print(f"{name}: {text}", flush=True))
        finally:
            site.close()
    return results


def work(options, directory):
    results = play(options, directory)
    lines = machine.describe([KINDS[name] for name in options.daemon])
    print("\n".join(lines) + "\n\n" + report.table(results), flush=True)
    if options.write:
        where = "" if options.here else " (user-mode, one processor)"
        setting = (f"`bench/lab/balancer {' '.join(sys.argv[1:])}`: {options.services:,} virtual servers with {options.servers:,} real servers, a check of each ({options.check}) "
                   f"every {options.period:g} s; Linux {platform.release()}{where}; {'; '.join(lines[1:])}.")
        report.write(DOCUMENT, "here" if options.here else f"{options.period:g} s", results, setting)
    return 1 if results.get("vigil", story.Figures()).trouble else 0


def main():
    options = read_options()
    directory = os.environ.get(IN_GUEST)
    if directory:
        return work(options, pathlib.Path(directory))
    reason = why_not(options.daemon, options.here)
    if reason:
        print(f"balancer: {reason}", file=sys.stderr)
        return sandbox.SKIPPED
    if options.here:
        sandbox.enter()
    tempfile.tempdir = "/var/tmp"   # the guest has a /tmp of its own
    workspace = Workspace("vigil-balancer-")
    with contextlib.suppress(OSError):
        os.nice(NICE)
    environment = {name: os.environ[name] for name in ("VIGILD", "VIGIL_BUILD") if name in os.environ} | {IN_GUEST: str(workspace.path)}
    seconds = BOOT + len(options.daemon) * (6 * options.patience + 2 * options.window)
    try:
        if options.here:
            return work(options, workspace.path)
        print(f"user-mode Linux with {' and '.join(options.daemon)}: some minutes each, and then the table", flush=True)
        return guest.run([sys.executable, "-B", os.path.abspath(sys.argv[0]), *sys.argv[1:]], MODULES, environment, seconds, memory=MEMORY)
    finally:
        workspace.finish(options.keep)


if __name__ == "__main__":
    sys.exit(main())
