"""The main job of bench/lab/density: reads the options, runs the sessions, prints and writes what came out."""
import argparse
import dataclasses
import os
import pathlib
import sys

from densitylab import ears, goals, machine, plots, report
from densitylab.daemons import make_kind
from densitylab.figures import MEASURES
from densitylab.session import EXPECTED_ERRORS, Session
from densitylab.setting import MAX_ADDRESSES, MAX_INTERFACES, MAX_VRIDS, MODE_NEEDS_VIGIL, MODES, TOPOLOGIES, Setting
from netlab import sandbox
from netlab.workspace import Workspace

PEER_LIMIT = 4080            # routers; beyond, keepalived needs minutes
START_SECONDS = 60           # longest wait for a start, and for each step like it
START_SECONDS_PER_ROUTER = 0.01
DEFAULT_MEASURES = tuple(name for name in MEASURES if name not in ("reload", "takeover-linkdown"))


def number(low, high, kind=int):
    def read(text):
        value = kind(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"between {low:g} and {high:g}, not {text}")
        return value
    return read


def read_options():
    parser = argparse.ArgumentParser(prog="bench/lab/density", description="See bench/lab/density --help")
    parser.add_argument("--daemon", action="append")
    parser.add_argument("--interfaces", type=number(1, MAX_INTERFACES), default=16)
    parser.add_argument("--vrids", type=number(1, MAX_VRIDS), default=255)
    parser.add_argument("--addresses", type=number(1, MAX_ADDRESSES), default=1)
    parser.add_argument("--interval", type=number(0.01, 40.95, float), default=1.0)
    parser.add_argument("--topology", choices=TOPOLOGIES, default="direct")
    parser.add_argument("--mode", choices=MODES, default="plain")
    parser.add_argument("--backend", choices=("uring", "epoll"), default="")
    parser.add_argument("--global-defs", default="")
    parser.add_argument("--stress", action="store_true")
    parser.add_argument("--reloads", action="store_true")
    parser.add_argument("--blocked-log", action="store_true")
    parser.add_argument("--measures", default=",".join(DEFAULT_MEASURES))
    parser.add_argument("--repeat", type=number(1, 100), default=1)
    parser.add_argument("--peer-limit", type=number(0, 65280), default=PEER_LIMIT)
    parser.add_argument("--patient", action="store_true")
    parser.add_argument("--goals", nargs="?", const="")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--plots", type=pathlib.Path)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)  # only looks whether the options can be used
    options = parser.parse_args()
    options.measures = options.measures.split(",")
    if options.reloads and options.vrids == MAX_VRIDS:
        parser.error(f"--reloads needs a VRID for the router that comes and goes: --vrids {MAX_VRIDS - 1} or fewer")
    for name in options.measures:
        if name not in MEASURES:
            parser.error(f"no measure '{name}'; there are: {' '.join(MEASURES)}")
    options.daemon = [name for names in options.daemon or ["vigil,keepalived"] for name in names.split(",")]
    if options.goals is not None and (complaint := goals.complaint(options.goals)):
        parser.error(complaint)
    return options


class Lab:
    """Runs settings; remembers everything that came out."""

    def __init__(self, options, directory):
        self._options = options
        self._directory = directory
        self._count = 0
        self.results = []

    def _say(self, text):
        print(f"    ... {text}", file=sys.stderr, flush=True)

    def _why_skipped(self, setting, kind):
        if kind.is_vigil:
            return None
        if setting.mode in MODE_NEEDS_VIGIL:
            return f"has no mode {setting.mode}"
        if setting.routers > self._options.peer_limit and not self._options.patient:
            return f"not run beyond {self._options.peer_limit:,} routers, because it takes minutes (--patient runs it)"
        return None

    def run(self, setting, daemons, measures, repeat):
        """All daemons in turn, A B A B."""
        kinds = [make_kind(name, setting.backend) for name in daemons]
        results = report.Results(setting, kinds)
        self.results.append(results)
        seconds = START_SECONDS + setting.routers * START_SECONDS_PER_ROUTER
        for repetition in range(repeat):
            for kind in kinds:
                if reason := self._why_skipped(setting, kind):
                    results.errors[kind.kind] = [reason]
                    continue
                print(f"  {setting.describe()}: {kind.kind}, {repetition + 1} of {repeat}", file=sys.stderr, flush=True)
                self._count += 1
                session = Session(setting, kind, measures, self._directory / f"run-{self._count}", seconds, self._say)
                try:
                    results.add(kind.kind, *session.run())
                except EXPECTED_ERRORS as error:
                    results.add(kind.kind, session.figures, session.errors | {"lab": str(error)}, session.curves)
        return results


def why_not(options, kinds):
    if ears.program() is None:
        return "vigil_observer is not built (set VIGIL_OBSERVER to its path, or build it: cmake --build build)"
    if options.plots and (reason := plots.why_not()):
        return reason
    return sandbox.why_not() or next((reason for kind in kinds if (reason := kind.why_not())), None)


def main():
    options = read_options()
    if options.check:
        return 0
    if options.goals is None:
        setting = Setting(**{field.name: getattr(options, field.name) for field in dataclasses.fields(Setting)})
        daemons = options.daemon
    else:
        setting, daemons = None, goals.DAEMONS
    kinds = [make_kind(name) for name in daemons]
    if reason := why_not(options, kinds):
        print(f"density: {reason}", file=sys.stderr)
        return sandbox.SKIPPED
    told = machine.describe(kinds)
    print("\n".join(told), flush=True)
    sandbox.enter()
    workspace = Workspace("vigil-density-")
    lab = Lab(options, workspace.path)
    try:
        if setting is None:
            goals.run(lab, options.goals, options.repeat)
        else:
            try:
                lab.run(setting, daemons, options.measures, options.repeat)
            finally:
                report.print_results(lab.results[0])
        return 0
    except KeyboardInterrupt:
        print("\ndensity: interrupted; everything is taken down", file=sys.stderr)
        return 130
    finally:
        if options.json and lab.results:
            report.write_json(options.json, " ".join(["bench/lab/density", *sys.argv[1:]]), told, lab.results)
        if options.plots and lab.results:
            plots.draw_all(options.plots, lab.results)
        workspace.finish(options.keep)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)
