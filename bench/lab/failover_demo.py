"""The main job of bench/lab/failover: the LAN, the live view, the events, and the table of what was measured.

What counts as a takeover is asked from outside the daemons: the kernels of the routers say who has an address, the
switch hears who advertises, the client's pings say what its user noticed.
"""
import argparse
import contextlib
import os
import pathlib
import sys
import time

from failover_report import Event, print_report
from netlab import sandbox
from netlab.capture import Capture
from netlab.configuration import Stage, UnusableConfiguration
from netlab.daemon import DaemonError
from netlab.keepalived import Keepalived
from netlab.lan import Lan
from netlab.observer import NotInTime, Observer
from netlab.pinger import Pinger
from netlab.router import VirtualRouter
from netlab.vigild import Vigild
from netlab.workspace import Workspace
from screen import Screen

KINDS = {kind.kind: kind for kind in (Vigild, Keepalived)}
MAX_ROUTERS = 50
MAX_TARGETS = 6
PING_SECONDS = 0.005
STEADY_SECONDS = 1.0      # nothing moves for so long: settled
START_SECONDS = 20        # longest wait for the first Active of every address
SPARE_SECONDS = 10        # on top of the protocol's own time, later


def read_options():
    parser = argparse.ArgumentParser(prog="bench/lab/failover", description="See bench/lab/failover --help")
    parser.add_argument("what", nargs="*", help="number of routers, or one or two configuration files")
    parser.add_argument("--daemon", choices=sorted(KINDS), default="vigild")
    parser.add_argument("--capture", type=pathlib.Path)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)  # only looks whether options and files can be used
    options = parser.parse_args()
    options.count, options.files = 2, []
    if len(options.what) == 1 and options.what[0].isdigit():
        options.count = int(options.what[0])
        if not 2 <= options.count <= MAX_ROUTERS:
            parser.error(f"between 2 and {MAX_ROUTERS} routers, not {options.count}")
    else:
        options.files = [os.path.abspath(path) for path in options.what]
        options.count = max(2, len(options.files))
        for path in options.files:
            if not os.path.isfile(path):
                parser.error(f"{path} is neither a number of routers nor a file")
    return options


def demonstration_routers(index, count):
    """Router i's virtual routers: the same two on all, with falling priorities."""
    priority = 200 - index * min(100, 199 // count)
    return [VirtualRouter(name="EVERY_SECOND", vrid=51, priority=priority, interval=1, addresses=("192.0.2.151/24",)),
            VirtualRouter(name="EVERY_10_MS", vrid=52, priority=priority, interval=0.01, addresses=("192.0.2.152/24",))]


class Demonstration:
    def __init__(self, options, directory, stack):
        self._options = options
        self._screen = Screen()
        stack.callback(self._screen.finish)
        self._begin = time.monotonic()
        self._now = "starting"
        self._status = {}
        self._told = 0          # changes that have been printed
        self.events = []
        self._set_up(directory, stack)

    def _set_up(self, directory, stack):
        options = self._options
        kind = KINDS[options.daemon]
        if options.files:
            stage = Stage(options.files, options.count)
            addresses, by_instance = stage.addresses(), stage.addresses_by_instance()
            self.lan = Lan(options.count, stage.interfaces, addresses)
        else:
            by_instance = {router.name: sorted(router.held()) for router in demonstration_routers(0, options.count)}
            self.lan = Lan(options.count)
        stack.callback(self.lan.close)
        if options.capture:
            capture = Capture(options.capture, expression="")
            capture.start(self.lan, self.lan.interfaces[0])
            stack.callback(capture.stop)
        self.observer = Observer(self.lan)
        stack.callback(self.observer.close)
        self.daemons = []
        for index, host in enumerate(self.lan.routers):
            if options.files:
                file = options.files[min(index, len(options.files) - 1)]
                daemon = kind(host, directory, configuration=file)
            else:
                daemon = kind(host, directory, demonstration_routers(index, options.count))
            self.daemons.append(daemon)
            self._status[host.name] = "not started"
        stack.callback(self._kill_all)
        self.expected = {address for addresses in by_instance.values() for address in addresses}
        firsts = [next((a for a in addresses if not a.is_link_local), None) for addresses in by_instance.values()]
        self.pinger = Pinger(self.lan.client, [address for address in firsts if address][:MAX_TARGETS], PING_SECONDS)

    def _kill_all(self):
        for daemon in self.daemons:
            if daemon.running:
                daemon.kill()

    # --- what is shown --------------------------------------------------------------------------------------------

    def _clock(self):
        return f"{time.monotonic() - self._begin:7.2f} s"

    def say(self, text):
        self._screen.say(f"{self._clock()}  {text}")

    def introduce(self):
        lines = [f"{len(self.daemons)} routers run {self._options.daemon}; LAN: {', '.join(self.lan.interfaces)}; "
                 f"a client pings {', '.join(str(t.address) for t in self.pinger.targets)} every {PING_SECONDS * 1000:g} ms"]
        lines += [f"  {d.host.name:10} {' '.join(a for on in d.host.addresses.values() for a in on):36} {d.configuration}"
                  for d in self.daemons]
        lines.append(f"  logs in {self.daemons[0].directory}; look inside while it runs: "
                     "nsenter -n -t $(pgrep -nf router-1) ip address")
        if len(self._options.files) == 1:
            lines.append("  both run the same file: where priorities are equal, the greater address wins a tie and a "
                         "returning router stays Backup")
        self._screen.say(*lines, "")

    def _draw(self):
        lines = ["", f"{self._clock()}  {self._now}"]
        for daemon in self.daemons[:20]:
            held = sorted(self.observer.held[daemon.host.name])
            active = "ACTIVE " + " ".join(map(str, held[:4])) + (" ..." if len(held) > 4 else "") if held else "Backup"
            status = self._status[daemon.host.name]
            lines.append(f"  {daemon.host.name:10} {status:12} {active if status == 'runs' else ''}")
        for target in self.pinger.targets:
            sent = len(target.sent_at)
            lines.append(f"  ping {str(target.address):18} {sent:7} sent {target.answered_count:7} answered")
        self._screen.show(lines)

    # --- waiting ----------------------------------------------------------------------------------------------------

    def _pump(self, seconds=0.1):
        self.observer.pump(seconds)
        self._tell_changes()
        self._draw()
        for daemon in self.daemons:
            if self._status[daemon.host.name] == "runs" and not daemon.running:
                tail = daemon.log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:]
                raise DaemonError(f"{daemon.kind} on {daemon.host.name} ended by itself with exit code {daemon.poll()}; "
                                  "its last words:\n  " + "\n  ".join(tail))

    def _tell_changes(self):
        for change in self.observer.changes[self._told:]:
            for verb, addresses in (("has", change.gained), ("gives up", change.lost)):
                if addresses and self._status[change.router] == "runs":
                    self.say(f"{change.router} {verb} {self._names(addresses)}")
        self._told = len(self.observer.changes)

    @staticmethod
    def _names(addresses):
        names = sorted(map(str, addresses))
        return " ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")

    def _running(self):
        return [daemon for daemon in self.daemons if self._status[daemon.host.name] == "runs"]

    def _slowest_interval(self):
        return max((advert.interval for advert in self.observer.adverts), default=1)

    def settle(self, since, seconds, wanted):
        """Pumps until every wanted address is on exactly one running router and nothing has moved for a while."""
        self._now += ", waiting until it settles"
        running = {daemon.host.name for daemon in self._running()}
        deadline = time.monotonic() + seconds
        while True:
            self._pump()
            now = time.monotonic()
            last = max([since] + [change.time for change in self.observer.changes[-1:]])
            if now > last + max(STEADY_SECONDS, 2 * self._slowest_interval()):
                seen = len(self.observer.changes)
                self.observer.ask_all()
                if len(self.observer.changes) == seen and all(sum(a in self.observer.held[name] for name in running) == 1 for a in wanted):
                    return
            if now > deadline:
                raise NotInTime(f"not settled within {seconds:.0f} s: {self.observer.describe()}")

    def _patience(self):
        return 4 * self._slowest_interval() + SPARE_SECONDS

    # --- the story --------------------------------------------------------------------------------------------------

    def tell(self):
        self.introduce()
        self.pinger.start()
        self._start_all()
        self._event("stop", "is stopped in order (SIGTERM)", self._stop)
        if len(self._running()) < 2:
            self._return_absent()
        self._event("kill -9", "is killed (-9) and off the LAN, like a machine without power", self._kill)
        self._return_absent()
        self._now = "done"
        self.pinger.stop()
        self._screen.finish()

    def _start_all(self):
        since = time.monotonic()
        self._now = "all routers start"
        for daemon in self.daemons:
            daemon.start()
            self._status[daemon.host.name] = "runs"
        self.say(self._now)
        try:
            self.settle(since, START_SECONDS, self.expected)
        except NotInTime:
            up = self.expected & frozenset().union(*self.observer.held.values())
            if not up:
                raise NotInTime(f"no router took any address within {START_SECONDS} s; see the logs in "
                                f"{self.daemons[0].directory} (run again with --keep)") from None
            self.say(f"never came up: {self._names(self.expected - up)}; going on with the rest")
            self.expected = up
            self.settle(since, START_SECONDS, self.expected)
        self.say("settled")

    def _event(self, name, what, act):
        """Something happens to the Active; what follows is watched until it has settled."""
        victim = max(self._running(), key=lambda daemon: (len(self.observer.held[daemon.host.name] & self.expected),
                                                          -self.daemons.index(daemon)))
        before = {router: held & self.expected for router, held in self.observer.held.items()}
        self._now = f"{victim.host.name} {what}"
        self.say(self._now)
        self._status[victim.host.name] = "stops" if act == self._stop else "dead"
        since = act(victim)
        self._wait_gone(victim)
        self._status[victim.host.name] = "stopped" if act == self._stop else "dead"
        self.settle(since, self._patience(), self.expected)
        self._record(Event(name, victim.host.name, since, time.monotonic(), before))

    def _record(self, event):
        self.events.append(event)
        self.say("settled")

    @staticmethod
    def _stop(victim):
        since = time.monotonic()
        victim.ask_to_stop()
        return since

    def _kill(self, victim):
        since = victim.strike()
        self.lan.unplug(victim.host)
        return since

    def _wait_gone(self, victim):
        """Keeps watching while the daemon ends, then takes note that it has."""
        deadline = time.monotonic() + victim.stop_seconds
        while not victim.is_gone and time.monotonic() < deadline:
            self._pump(0.02)
        victim.wait_gone("in time")

    def _return_absent(self):
        """A machine that was away comes back: without leftovers, with its cable in, with its daemon."""
        for daemon in self.daemons:
            if daemon.running:
                continue
            before = {router: held & self.expected for router, held in self.observer.held.items()}
            if self._status[daemon.host.name] == "dead":
                daemon.host.remove_leftovers()
                self.lan.unplug(daemon.host, out=False)
                self.observer.ask_all()
            self._now = f"{daemon.host.name} comes back"
            self.say(self._now)
            since = time.monotonic()
            daemon.start()
            self._status[daemon.host.name] = "runs"
            self.settle(since + self._down_time(), self._patience(), self.expected)
            self._record(Event("return", daemon.host.name, since, time.monotonic(), before))

    def _down_time(self):
        """A returning router listens for an Active_Down_Interval, at most 4 intervals, before it takes over."""
        return 4 * self._slowest_interval()


def main():
    options = read_options()
    if options.check:
        try:
            if options.files:
                Stage(options.files, options.count)
            return 0
        except UnusableConfiguration as error:
            print(f"failover: {error}", file=sys.stderr)
            return 1
    reason = sandbox.why_not() or KINDS[options.daemon].why_not() or (Capture.why_not() if options.capture else None)
    if reason:
        print(f"failover: {reason}", file=sys.stderr)
        return 1
    sandbox.enter()
    workspace = Workspace("vigil-lab-")
    try:
        with contextlib.ExitStack() as stack:
            demonstration = Demonstration(options, workspace.path, stack)
            demonstration.tell()
            print_report(demonstration)
        return 0
    except (UnusableConfiguration, DaemonError, NotInTime) as error:
        print(f"failover: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nfailover: interrupted; everything is taken down", file=sys.stderr)
        return 130
    finally:
        workspace.finish(options.keep)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)
