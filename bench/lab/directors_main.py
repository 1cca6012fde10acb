"""The main job of bench/lab/directors: starts the guest, and in it plays the events with each daemon."""
import argparse
import contextlib
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests" / "uml"))
import guest  # noqa: E402
from directorlab import report, site, story  # noqa: E402
from netlab import sandbox  # noqa: E402
from netlab.daemon import DaemonError  # noqa: E402
from netlab.workspace import Workspace  # noqa: E402

IN_GUEST = "VIGIL_DIRECTORS_IN_GUEST"   # the directory for logs; set in the guest
MODULES = ["veth", "bridge", "macvlan", "af_packet", "dummy", "ip_vs", "ip_vs_rr", "nf_tables"]
DOCUMENT = TOP / "docs" / "directors.md"
SECONDS = 700   # of one daemon, at most
NICE = -10      # a guest that waits for compilers would count their noise as failures


def read_options():
    parser = argparse.ArgumentParser(prog="bench/lab/directors", description="See bench/lab/directors --help")
    parser.add_argument("--daemon", default="vigil,keepalived")
    parser.add_argument("--workers", type=int, default=5)
    parser.add_argument("--long-lived", type=int, default=8)
    parser.add_argument("--interval", type=float, default=200, help="milliseconds")
    parser.add_argument("--window", type=float, default=10, help="seconds")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    options.daemon = options.daemon.split(",")
    unknown = set(options.daemon) - set(site.KINDS)
    if unknown:
        parser.error(f"no such daemon: {', '.join(sorted(unknown))}")
    return options


def why_not(kinds):
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = None if shutil.which("ipvsadm", path=path) else "ipvsadm is not here (Debian package ipvsadm)"
    return guest.why_not() or missing or next((reason for reason in (site.KINDS[name].why_not() for name in kinds) if reason), None)


def versions():
    done = subprocess.run(["keepalived", "--version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout.splitlines()[0].split(" (")[0] if done.stdout else "keepalived"


def play(options, directory):
    """In the guest. Daemon -> event -> Figures, and the daemons that failed."""
    load = (options.workers, options.long_lived, options.interval / 1e3, 15)
    results, failed = {}, False
    for name in options.daemon:
        print(f"{name}\n{report.heading()}", flush=True)
        results[name] = {}

        def tell(event, figures, mine=results[name]):
            mine[event.name] = figures
            print(report.line(event, figures), flush=True)
        try:
            place = site.Site(name, directory / name, load)
            try:
                story.play(place, 3 * options.workers, options.window, tell)
            finally:
                place.close()
        except DaemonError as error:
            print(f"{name}: {error}", flush=True)
            failed = True
    return results, failed


def main_in_guest(options, directory):
    results, failed = play(options, directory)
    if options.write and not failed:
        setting = (f"Linux {platform.release()} (user-mode, one processor), {versions()}; {options.workers} requests at a time and {options.long_lived} "
                   f"long-lived connections, each with a request every {options.interval:g} ms; `bench/lab/directors --write`.")
        report.write(DOCUMENT, results, setting)
    return 1 if failed else 0


def main():
    options = read_options()
    directory = os.environ.get(IN_GUEST)
    if directory:
        return main_in_guest(options, pathlib.Path(directory))
    reason = why_not(options.daemon)
    if reason:
        print(f"directors: {reason}", file=sys.stderr)
        return sandbox.SKIPPED
    tempfile.tempdir = "/var/tmp"   # the guest has a /tmp of its own
    workspace = Workspace("vigil-directors-")
    with contextlib.suppress(OSError):
        os.nice(NICE)
    environment = {name: os.environ[name] for name in ("VIGILD", "VIGIL_BUILD") if name in os.environ} | {IN_GUEST: str(workspace.path)}
    try:
        print(f"{len(story.EVENTS)} events in user-mode Linux with {' and '.join(options.daemon)}: some minutes each, and then the tables", flush=True)
        return guest.run([sys.executable, "-B", os.path.abspath(sys.argv[0]), *sys.argv[1:]], MODULES, environment, SECONDS * len(options.daemon))
    finally:
        workspace.finish(options.keep)


if __name__ == "__main__":
    sys.exit(main())
