"""One scenario played by two daemons on a LAN of its own: election, stay, stop, return, kill -9, return, and the end.

At every settled moment the kernels of both routers are asked: all addresses of the virtual router on one of them, none
on the other. For IPv4 the LAN is asked too, by ARP: exactly one answer, with the right MAC. What a phase waits for is a
condition with a deadline; "nothing moves" is measured in adverts heard, not in seconds.
"""
import contextlib
import dataclasses
import ipaddress
import time
import traceback

from netlab.daemon import DaemonError, wait_for
from netlab.frr import Frr
from netlab.keepalived import Keepalived
from netlab.lan import Lan
from netlab.observer import NotInTime, Observer
from netlab.vigild import Vigild
from netlab.wire import who_has

KINDS = {kind.kind: kind for kind in (Keepalived, Vigild, Frr)}
SPARE_SECONDS = 8       # beyond the protocol's own time, before a phase is called failed
STALLS_ALLOWED = 5      # of the machine, in one phase
STAY_ADVERTS = 6        # a router that does not hear its peer takes over within 4 intervals
FAST_INTERVAL = 0.1     # below, the machine's own delays exceed what priority 0 saves


class Wrong(Exception):
    """The routers did something else than they should."""


class Late(Wrong):
    """A router did the right thing, and later than it should: so does one that a busy machine keeps from running."""


class Stalled(Exception):
    """The machine did not let the Active speak for an Active_Down_Interval, so a takeover was right."""


@dataclasses.dataclass
class Result:
    scenario: str
    pair: str
    phases: tuple
    seconds: dict = dataclasses.field(default_factory=dict)   # phase -> measured seconds
    failed: str = ""                                          # phase
    reason: str = ""
    stalls: int = 0                                           # of the machine, see Match._quiet_while
    is_doubtful: bool = False                                 # failed, and perhaps for the machine's sake
    is_second: bool = False                                   # it was played again, alone


class Match:
    def __init__(self, scenario, kinds, directory, capture=None):
        self.scenario = scenario
        self.kinds = kinds
        self.result = Result(scenario.name, ":".join(kinds), scenario.phases)
        self._directory = directory
        self._capture = capture

    def play(self):
        phase = "set-up"
        with contextlib.ExitStack() as stack:
            try:
                self._set_up(stack)
                for phase in self.scenario.phases:
                    self.result.seconds[phase] = getattr(self, "_" + phase.replace(" ", "_").replace("_-9", ""))()
            except (Wrong, NotInTime, DaemonError) as error:
                self.result.failed, self.result.reason = phase, str(error)
                self.result.is_doubtful = self._is_doubtful(error)
            except Exception:  # a fault of the harness is a failure too, with its trace
                self.result.failed, self.result.reason = phase, traceback.format_exc()
        return self.result

    def _is_doubtful(self, error):
        """Whether the machine may have been too busy. At 10 ms it need not be very much so."""
        is_fast = self.scenario.router.interval < FAST_INTERVAL
        return isinstance(error, Late) or self.result.stalls > 0 or (is_fast and isinstance(error, NotInTime))

    # --- the stage ------------------------------------------------------------------------------------------------

    def _set_up(self, stack):
        self.lan = Lan(instant_neighbours=True)
        stack.callback(self.lan.close)
        if self._capture:
            self._capture.start(self.lan)
            stack.callback(self._capture.stop)
        self.observer = Observer(self.lan)
        stack.callback(self.observer.close)
        self.routers = self.scenario.routers(self.lan.routers)
        self.held = self.routers[0].held()
        self.daemons = self._make_daemons()
        stack.callback(self._kill_all)

    def _make_daemons(self):
        return [KINDS[kind](host, self._directory, [router])
                for kind, host, router in zip(self.kinds, self.lan.routers, self.routers)]

    def _kill_all(self):
        for daemon in self.daemons:
            if daemon.running:
                daemon.kill()

    def _down_seconds(self):
        return max(router.down_seconds for router in self.routers)

    def _holders(self):
        """Indices of the routers that hold any of the addresses."""
        return [index for index, host in enumerate(self.lan.routers) if self.observer.held[host.name] & self.held]

    def _holds_all(self, index):
        return self.held <= self.observer.held[self.lan.routers[index].name]

    # --- what must be true at a settled moment -----------------------------------------------------------------------

    def _settle(self, expected=None):
        """Waits until one router (the expected one) has all addresses and the other none; then asks kernels and LAN."""
        def settled():
            holders = self._holders()
            return (len(holders) == 1 and self._holds_all(holders[0]) and expected in (None, holders[0])
                    and self._is_heard(holders[0]))

        who = "one router" if expected is None else f"{self.lan.routers[expected].name} ({self.kinds[expected]})"
        deadline = time.monotonic() + self._down_seconds() + SPARE_SECONDS
        while True:
            self.observer.wait(settled, deadline - time.monotonic(), f"{who} alone holds the addresses")
            self.observer.ask_all()
            if not settled():
                continue
            holder, begin = self._holders()[0], time.monotonic()
            try:
                self._check_lan(holder)
                return holder
            except Wrong:
                self.observer.pump(0)
                if not self._stalled_since(holder, begin) or self.result.stalls >= STALLS_ALLOWED:
                    raise
                self.result.stalls += 1

    def _is_heard(self, holder):
        """The holder has advertised since it got the addresses, and it was the last who did."""
        gained = max((change.time for change in self.observer.changes
                      if change.router == self.lan.routers[holder].name and change.gained & self.held), default=0)
        last = next((advert for advert in reversed(self.observer.adverts) if advert.priority), None)
        return last is not None and self._sender(last) == holder and last.time > gained - self.routers[holder].interval

    def _check_lan(self, holder):
        """The client, which learns of a new Active by its announcements alone, reaches every family; ARP has one answer,
        with the MAC that the configuration asks for.

        At 10 ms a machine that stalls makes a Backup speak up for a moment, and the client believes it until the Active's
        second burst of announcements, 5 s after the first.
        """
        patience = "3" if self.routers[holder].interval >= FAST_INTERVAL else "8"
        for family in {address.version for address in self.held}:
            address = max(address for address in self.held if address.version == family)
            output = self.lan.client.namespace.run(["ping", "-c", "1", "-i", "0.2", "-w", patience, str(address)], check=False)
            if " 1 received" not in output:
                raise Wrong(f"the client cannot ping {address}: {output.strip()}")
            if family == 4:
                macs = who_has(self.lan.client, "eth0", address)
                if macs != [self._mac_of(holder)]:
                    raise Wrong(f"ARP for {address} is answered by {macs or 'nobody'}, expected {self._mac_of(holder)}")

    def _mac_of(self, index):
        virtual = self.kinds[index] == "frr" or self.scenario.router.virtual_mac
        return self.routers[index].mac if virtual else self.lan.routers[index].mac("eth0")

    def _sender(self, advert):
        """Which router sent it. FRR sends IPv6 from a link-local of its macvlan, which is no address of the machine."""
        for index, host in enumerate(self.lan.routers):
            if advert.source in host.own_addresses():
                return index
        return self.kinds.index("frr") if "frr" in self.kinds else None

    def _quiet_while(self, holder, adverts, what):
        """Nothing moves while that many adverts of the holder pass, and nobody else sends any.

        On a busy machine the Active may be kept from running for longer than its Backup waits. That shows on the wire,
        and then the Backup did as it must: the phase is tried again, and the table says how often.
        """
        for _ in range(STALLS_ALLOWED):
            try:
                return self._quiet_once(holder, adverts, what)
            except Stalled:
                self.result.stalls += 1
                self.lan.client.namespace.ip("neigh flush all")  # the Backup spoke last, and the Active need not announce again
                self._settle(expected=holder)
        raise Wrong(f"{what}: the Active was silent for an Active_Down_Interval {STALLS_ALLOWED} times; is the machine overloaded?")

    def _stalled_since(self, holder, begin):
        """Whether the holder was silent on the wire for as long as the other waits."""
        earlier = [a.time for a in self.observer.adverts if self._sender(a) == holder and a.time < begin][-1:]
        times = earlier + [a.time for a in self.observer.adverts_since(begin) if self._sender(a) == holder]
        silence = max((after - before for before, after in zip(times, times[1:])), default=0)
        return silence >= self.routers[1 - holder].down_seconds

    def _quiet_once(self, holder, adverts, what):
        begin, changes = time.monotonic(), len(self.observer.changes)

        def heard():
            return [advert for advert in self.observer.adverts_since(begin) if self._sender(advert) == holder]

        self.observer.wait(lambda: len(heard()) >= adverts, self.routers[0].interval * adverts + SPARE_SECONDS,
                           f"{adverts} adverts of {self.lan.routers[holder].name}")
        self.observer.ask_all()
        others = [advert for advert in self.observer.adverts_since(begin) if self._sender(advert) != holder]
        moved = len(self.observer.changes) != changes
        if (moved or others) and self._stalled_since(holder, begin):
            raise Stalled
        if moved:
            raise Wrong(f"{what}: addresses moved: {self.observer.changes[changes:]}")
        if others:
            raise Wrong(f"{what}: {len(others)} adverts of another than the Active, first {others[0]}")
        self._check_adverts(holder, heard())
        return time.monotonic() - begin

    def _check_adverts(self, holder, adverts):
        router = self.routers[holder]
        from_virtual_mac = self.kinds[holder] == "frr" or router.virtual_mac in ("macvlan", "nftables")
        mac = router.mac if from_virtual_mac else self.lan.routers[holder].mac("eth0")
        group = {4: "224.0.0.18", 6: "ff02::12"}[router.family]
        destination = ipaddress.ip_address(router.peers[0] if router.peers else group)
        for advert in adverts:
            seen = (advert.version, advert.vrid, advert.priority, round(advert.interval, 2), advert.mac, advert.destination)
            wanted = (router.version, router.vrid, router.priority, round(router.interval, 2), mac, destination)
            if seen != wanted:
                raise Wrong(f"advert (version, VRID, priority, interval, MAC, destination) is {seen}, expected {wanted}")

    # --- the phases; each returns the seconds worth showing ------------------------------------------------------------

    def _elect(self):
        begin = time.monotonic()
        if self.scenario.router.preempt:
            for daemon in self.daemons:
                daemon.start()
            tie = self.scenario.priorities[0] == self.scenario.priorities[1]
            self.active = self._settle(expected=None if tie else 0)
        else:
            self.daemons[0].start()
            self.active = self._settle(expected=0)
            self.daemons[1].start()
        return self._first_advert(self.active, begin).time - begin

    def _first_advert(self, index, begin):
        return next(advert for advert in self.observer.adverts_since(begin) if advert.priority and self._sender(advert) == index)

    def _stay(self):
        return self._quiet_while(self.active, STAY_ADVERTS, "both run")

    def _stop(self):
        """An orderly stop says priority 0, and the other takes over after Skew_Time, not Active_Down_Interval."""
        old, new = self.active, 1 - self.active
        begin = time.monotonic()
        self.daemons[old].stop()
        self.active = self._settle(expected=new)
        adverts = self.observer.adverts_since(begin)
        goodbye = next((a for a in adverts if a.priority == 0 and self._sender(a) == old), None)
        if goodbye is None:
            raise Wrong("no advert with priority 0 was heard")
        if getattr(self.daemons[old], "exit_code", None):
            raise Wrong(f"exit code {self.daemons[old].exit_code} after SIGTERM")
        self._no_leftovers(old)
        taken = self._first_advert(new, begin).time - goodbye.time
        interval = self.routers[new].interval
        if interval >= FAST_INTERVAL and taken > 2.5 * interval:
            raise Late(f"took over {taken:.2f} s after priority 0; Skew_Time is {self.routers[new].skew_seconds:.2f} s")
        return taken

    def _return(self):
        """The absent router starts again: it takes the addresses back, or stays Backup where that is the rule."""
        absent = 1 - self.active
        begin = time.monotonic()
        self.daemons[absent].start()
        if absent == 0 and self.scenario.takes_back:
            self.active = self._settle(expected=0)
            return self._first_advert(0, begin).time - begin
        self._quiet_while(self.active, 2 * STAY_ADVERTS, "the other returned")
        if not self.daemons[absent].running:
            raise Wrong(f"{self.kinds[absent]} did not stay up (log: {self.daemons[absent].log})")
        self._settle(expected=self.active)
        return time.monotonic() - begin

    def _kill(self):
        old, new = self.active, 1 - self.active
        begin, changes = time.monotonic(), len(self.observer.changes)
        self.daemons[old].kill()
        self.lan.routers[old].remove_leftovers()
        self.active = self._settle(expected=new)
        taken = [change for change in self.observer.changes[changes:] if change.router == self.lan.routers[new].name]
        return taken[0].time - begin

    _return_again = _return

    def _partition(self):
        """Routers that do not hear each other are both Active. When they hear again, the greater (priority, address) stays."""
        self.lan.partition(apart=True)
        self.observer.wait(lambda: self._holds_all(0) and self._holds_all(1), self._down_seconds() + SPARE_SECONDS,
                           "both are Active while apart")
        begin = time.monotonic()
        self.lan.partition(apart=False)
        # The winner never was anything but Active and need not announce; the client last heard whoever spoke last.
        self.lan.client.namespace.ip("neigh flush all")
        winner = max((0, 1), key=lambda index: (self.scenario.priorities[index], index))
        self.active = self._settle(expected=winner)
        taken = self.observer.changes[-1].time - begin
        self._quiet_while(winner, STAY_ADVERTS, "together again")
        return taken

    def _leftovers(self):
        """A daemon that was killed left its addresses behind: the next one on that machine takes them away, although
        it is Backup, before it is Active again."""
        old, new = self.active, 1 - self.active
        begin = time.monotonic()
        self.daemons[old].kill()
        self.observer.wait(lambda: self._holds_all(new), self._down_seconds() + SPARE_SECONDS, "the other takes over")
        if not self._holds_all(old):
            raise Wrong("kill -9 left no addresses behind, so this shows nothing")
        self.daemons[old].start()
        self.observer.wait(lambda: not self.observer.held[self.lan.routers[old].name] & self.held, SPARE_SECONDS,
                           "the new run takes the leftovers away")
        self.active = self._settle(expected=0 if self.scenario.takes_back else new)
        return time.monotonic() - begin

    def _child_dies(self):
        """The parent starts a child that died anew; the router is as before.

        A child that was started quickly enough becomes Active again before the other's Active_Down_Timer fires."""
        daemon, begin = self.daemons[self.active], time.monotonic()
        name = self.lan.routers[self.active].name
        daemon.kill_children()
        self.observer.wait(lambda: self._holds_all(1 - self.active) or not self.observer.held[name] & self.held,
                           self._down_seconds() + SPARE_SECONDS, "the other takes over, or the new child takes the leftovers away")
        self._settle(expected=self.active)
        if not daemon.running:
            raise Wrong(f"the parent is gone (log: {daemon.log})")
        return time.monotonic() - begin

    def _reload(self):
        """SIGHUP with an unchanged file, on both: all is as before."""
        begin = time.monotonic()
        for daemon in self.daemons:
            daemon.reload()
        self._settle(expected=self.active)
        self._quiet_while(self.active, 2 * STAY_ADVERTS, "both have read their files again")
        if not all(daemon.running for daemon in self.daemons):
            raise Wrong("a daemon ended after SIGHUP")
        return time.monotonic() - begin

    def _end(self):
        """Both stop; nothing of theirs is left in any kernel."""
        begin = time.monotonic()
        for index in (1 - self.active, self.active):
            self.daemons[index].stop()
            self._no_leftovers(index)
        return time.monotonic() - begin

    def _no_leftovers(self, index):
        host = self.lan.routers[index]
        try:
            wait_for(lambda: not host.leftovers(), 2, "nothing is left behind")
        except DaemonError:
            raise Wrong(f"{self.kinds[index]} left behind after SIGTERM: {', '.join(host.leftovers())}") from None
