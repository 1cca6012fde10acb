"""One daemon on one LAN: the measures, one after another, each with bounded waits.

A measure that fails is noted, and the next one is tried as long as the daemons are where it needs them. Between measures the daemons get
time to finish what they do once (repeated announcements), told by the frames the kernel counts.
"""
import contextlib
import os
import subprocess
import time

from netlab.daemon import DaemonError

from . import ears as hearing
from . import kernel, trouble
from .lan import DensityLan
from .setting import ACTIVE, BACKUP, MAX_VRIDS, configuration, interface_name, one_more, virtual_addresses, with_a_new_router
from .takeover import evaluate, heard_elsewhere

WINDOW_SECONDS = 6.0          # CPU and intervals are measured over so long, at least
WINDOW_INTERVALS = 6          # and over so many intervals
LEAD_SECONDS = (1, 3, 10)     # from asking for a window to its begin: tried in turn
SETTLE_SECONDS = 90           # longest wait until only adverts are sent
SETTLE_SHARE = 1.05           # of the adverts expected: quiet
REPEAT_SECONDS = 6.5          # after garp_master_delay, 5 s, both daemons announce again
AFTER_TAKEOVER_SECONDS = 1.5  # the new Active's CPU is counted so long after its last address is up, at least
ANNOUNCING_SECONDS = 30       # longest wait until it only sends adverts


class NotInTime(Exception):
    """A daemon did not get where it should be in the time given."""


# What a daemon, the observer or the machine may do to a measurement.
EXPECTED_ERRORS = (DaemonError, NotInTime, hearing.EarError, OSError, RuntimeError, subprocess.SubprocessError)


class Session:
    """`run` returns (figures, errors, curves): numbers by key, texts by measure, and what the plots need."""

    def __init__(self, setting, kind, measures, directory, start_seconds, say=lambda text: None):
        self._setting = setting
        self._kind = kind
        self._measures = measures
        self._directory = directory
        self._start_seconds = start_seconds
        self._say = say
        self.figures, self.errors, self.curves = {}, {}, {}
        self._daemons = [None, None]

    def run(self):
        self._directory.mkdir(parents=True, exist_ok=True)
        self._paths = []
        for seat in (ACTIVE, BACKUP):
            self._paths.append(self._directory / f"router-{seat + 1}.conf")
            self._paths[seat].write_text(configuration(self._setting, seat), encoding="ascii")
        self._say("wiring")
        with contextlib.ExitStack() as stack:
            self._lan = DensityLan(self._setting, self._directory)
            stack.callback(self._lan.close)
            self._seats = self._lan.seats
            self._addresses = [kernel.VirtualAddresses(seat.namespace) for seat in self._seats]
            self._sent = [kernel.SentFrames(seat.namespace) for seat in self._seats]
            for question in self._addresses + self._sent:
                stack.callback(question.close)
            self._pipes = stack.enter_context(contextlib.ExitStack())
            stack.callback(self._kill_all)
            self._measure()
        return self.figures, self.errors, self.curves

    def _kill_all(self):
        self._say("taking down")
        for daemon in self._daemons:
            if daemon and daemon.running:
                daemon.kill()

    def _measure(self):
        self._try("config-test", self._config_test)
        if not set(self._measures) - {"config-test"}:
            return
        if not self._try("start", self._start, always=True):
            return
        self._try("memory", self._memory)
        beside_a_backup = {"cpu-receive"} | ({"interval"} if self._setting.is_disturbed else set())
        alone = {"cpu-send", "interval"} - beside_a_backup
        self._try_any(alone, self._send)
        self._try("reload", self._reload)
        events = [name for name in self._measures if name.startswith("takeover-")]
        if not beside_a_backup & set(self._measures) and not events:
            return
        if not self._try("backup", self._start_backup, always=True):
            return
        self._try_any(beside_a_backup, self._receive)
        for place, measure in enumerate(events):
            is_last = place == len(events) - 1
            if self._try(measure, lambda: self._takeover(measure.partition("-")[2], is_last)) or is_last:
                continue
            if not self._try("starting over", self._start_over, always=True):
                return

    def _try_any(self, measures, act):
        """One act for whichever of the measures are asked for; an error is noted under the first of them."""
        if wanted := [name for name in self._measures if name in measures]:
            self._try(wanted[0], act)

    def _try(self, measure, act, always=False):
        if not always and measure not in self._measures:
            return True
        self._say(measure)
        try:
            act()
            return True
        except EXPECTED_ERRORS as error:
            self.errors[measure] = str(error)
            return False

    # --- one after another ------------------------------------------------------------------------------------------

    def _config_test(self):
        daemon = self._kind(self._seats[ACTIVE], self._directory, self._paths[ACTIVE])
        self.figures["config_test_seconds"], self.figures["config_test_cpu"] = daemon.config_test(self._start_seconds)

    def _launch(self, seat):
        daemon = self._kind(self._seats[seat], self._directory, self._paths[seat])
        self._daemons[seat] = daemon
        if self._setting.blocked_log:
            daemon.has_blocked_log = True
            self._pipes.callback(os.close, trouble.block(daemon.log))
        daemon.start()
        return daemon

    def _wait_addresses(self, seat, wanted, seconds, what):
        daemon = self._daemons[seat]
        moment = self._addresses[seat].wait(wanted, seconds, lambda: daemon.running)
        if moment is None:
            there = self._addresses[seat].count()
            end = "" if daemon.running else f"; it ended with exit code {daemon.poll()}: {daemon.last_words()}"
            raise NotInTime(f"{what}: {there:,} of {self._setting.address_count:,} addresses on router {seat + 1} after {seconds:.0f} s{end}")
        return moment

    def _start(self):
        ears = self._lan.ears(ACTIVE)
        try:
            begin = time.monotonic()
            daemon = self._launch(ACTIVE)
            up = self._wait_addresses(ACTIVE, self._setting.address_count, self._start_seconds, "start")
            cpu = daemon.cpu_seconds()
            self._settle()
        finally:
            heard = self._stop(ears)
        if "start" in self._measures:
            self.figures["start_seconds"] = up - begin
            self.figures["start_cpu"] = cpu
            if len(heard.announced) >= self._setting.address_count:
                self.figures["start_announced"] = max(heard.announced.values()) - begin

    def _stop(self, ears):
        heard = hearing.stop_all(ears)
        self.figures["observer_lost"] = self.figures.get("observer_lost", 0) + heard.lost
        return heard

    def _settle(self):
        """Waits until the Active sends nothing but its adverts; two looks in a row, because repeats come in bursts 5 s apart."""
        deadline = time.monotonic() + SETTLE_SECONDS
        look = max(1.0, 2 * self._setting.interval)
        quiet = 0
        time.sleep(REPEAT_SECONDS)
        while quiet < 2:
            begin, before = time.monotonic(), self._sent[ACTIVE].count()
            time.sleep(look)
            is_quiet = self._is_quiet(self._sent[ACTIVE].count() - before, time.monotonic() - begin)
            quiet = quiet + 1 if is_quiet else 0
            if time.monotonic() > deadline:
                self._note_unsettled()
                return

    def _is_quiet(self, frames, length):
        return frames / length <= self._setting.adverts_per_second * SETTLE_SHARE + 5

    def _note_unsettled(self):
        self.figures["not_settled"] = self.figures.get("not_settled", 0) + 1

    def _memory(self):
        rss, pss = self._daemons[ACTIVE].memory()
        self.figures["rss_per_router"], self.figures["pss_per_router"] = rss / self._setting.routers, pss / self._setting.routers

    @property
    def _window_seconds(self):
        return max(WINDOW_SECONDS, WINDOW_INTERVALS * self._setting.interval)

    def _ears_for_window(self):
        """(observers, begin, end): they are ready before the window begins, so that CPU and adverts are of the same time."""
        seats = [seat for seat in (ACTIVE, BACKUP) if self._daemons[seat]]
        for lead in LEAD_SECONDS:
            begin = time.monotonic() + lead
            end = begin + self._window_seconds
            ears = self._lan.ears(*seats, from_seconds=begin, until_seconds=end)
            if time.monotonic() < begin:
                return ears, begin, end
            for ear in ears:
                ear.kill()
        raise hearing.EarError(f"vigil_observer was not ready within {LEAD_SECONDS[-1]} s")

    @staticmethod
    def _cpu_between(begin, end, *daemons):
        """CPU of each daemon between two moments that are still to come."""
        time.sleep(max(0, begin - time.monotonic()))
        before = [daemon.cpu_seconds() for daemon in daemons]
        time.sleep(max(0, end - time.monotonic()))
        return [daemon.cpu_seconds() - used for daemon, used in zip(daemons, before)]

    def _heard_window(self, *daemons):
        with contextlib.ExitStack() as stack:
            if self._setting.stress:
                stack.enter_context(trouble.stress(self._directory))
            if self._setting.reloads:
                running = [seat for seat in (ACTIVE, BACKUP) if self._daemons[seat]]
                reloads = stack.enter_context(trouble.reloads([self._daemons[seat] for seat in running], [self._paths[seat] for seat in running],
                                                              one_more(self._setting)))
            if self._setting.has_trouble:
                time.sleep(1)
            found = self._heard_quiet_window(*daemons)
        if self._setting.reloads:
            self.figures["reloads"] = reloads.count
        return found

    def _heard_quiet_window(self, *daemons):
        ears, begin, end = self._ears_for_window()
        cpu = self._cpu_between(begin, end, *daemons)
        heard = hearing.merge([ear.report() for ear in ears])
        self.figures["observer_lost"] = self.figures.get("observer_lost", 0) + heard.lost
        if not heard.adverts:
            raise NotInTime("no advert was heard")
        return heard, cpu, end - begin

    def _send(self):
        daemon = self._daemons[ACTIVE]
        if "cpu-send" in self._measures:
            begin = time.monotonic()
            frames = -self._sent[ACTIVE].count()
            (cpu,) = self._cpu_between(begin, begin + self._window_seconds, daemon)
            frames += self._sent[ACTIVE].count()
            self.figures["cpu_per_sent_alone"] = cpu / max(frames, 1)
        heard, (cpu,), length = self._heard_window(daemon)
        if "cpu-send" in self._measures:
            self.figures["cpu_per_sent"] = cpu / heard.adverts
            self.figures["sent_per_second"] = heard.adverts / length
        if "interval" in self._measures and not self._setting.is_disturbed:
            self._interval(heard)

    def _interval(self, heard):
        gaps = sum(router.count - 1 for router in heard.routers.values())
        if not gaps:
            raise NotInTime("no router was heard twice")
        self.figures["mean_interval"] = sum(router.last - router.first for router in heard.routers.values()) / gaps
        self.figures["longest_gap"] = heard.longest_gap
        late = sorted(heard.late.items())
        self.figures["late_p50"], self.figures["late_p999"] = (quantile(late, gaps, share) for share in (0.5, 0.999))
        self.curves["lateness"] = {"gaps": gaps, "late": late, "early": sorted(heard.early.items())}

    def _reload(self):
        """The Active alone, and one file more: what the others notice of it."""
        if self._setting.vrids == MAX_VRIDS:
            raise NotInTime(f"needs a VRID for the new router: --vrids {MAX_VRIDS - 1} or fewer")
        daemon, newcomer = self._daemons[ACTIVE], (interface_name(0), virtual_addresses(self._setting, 0, self._setting.vrids + 1)[0])
        rest = self._window_seconds
        used = -daemon.cpu_seconds()
        time.sleep(rest)
        used = (used + daemon.cpu_seconds()) / rest
        ears = self._lan.ears(ACTIVE)
        try:
            time.sleep(2 * self._setting.interval)   # each router is heard before
            self._paths[ACTIVE].write_text(with_a_new_router(self._setting, ACTIVE), encoding="ascii")
            cpu, moment = daemon.cpu_seconds(), time.monotonic()
            daemon.reload()
            self._wait_addresses(ACTIVE, self._setting.address_count + self._setting.addresses, self._start_seconds, "reload")
            time.sleep(max(0, moment + rest - time.monotonic()))
            cpu = daemon.cpu_seconds() - cpu - used * (time.monotonic() - moment)
        finally:
            heard = self._stop(ears)
            self._paths[ACTIVE].write_text(configuration(self._setting, ACTIVE), encoding="ascii")
            daemon.reload()
        self._tell_reload(heard, moment, newcomer, cpu)

    def _tell_reload(self, heard, moment, newcomer, cpu):
        others = {key: router for key, router in heard.routers.items() if key[2] != self._setting.vrids + 1}
        new = [router for key, router in heard.routers.items() if key not in others]
        if not new or newcomer not in heard.announced:
            raise NotInTime("the new router was not heard")
        disturbed = {key[::2] for key, router in others.items() if router.priority_changes or router.first_zero}
        announced = [place for place in heard.announced if place[1].rsplit(".", 1)[0] != newcomer[1].rsplit(".", 1)[0]]
        gaps = sum(router.count - 1 for router in others.values())
        self.figures["reload_seconds"] = new[0].first - moment - self._setting.down_seconds(ACTIVE)
        self.figures["reload_cpu"] = cpu
        self.figures["reload_longest_gap"] = max(router.longest_gap for router in others.values())
        self.figures["reload_late_p999"] = quantile(sorted(heard.late.items()), gaps, 0.999)
        self.figures["reload_disturbed"] = len(disturbed) + len(announced) + self._setting.routers - len(others)

    def _start_backup(self):
        daemon = self._launch(BACKUP)
        self._wait_calm(daemon)
        self._note_taken_over(self._addresses[BACKUP].count())

    def _wait_calm(self, daemon):
        """A Backup does not say when it is ready; its CPU does, when two seconds cost the same."""
        deadline = time.monotonic() + self._start_seconds
        time.sleep(1 + self._setting.down_seconds())
        before, last = daemon.cpu_seconds(), None
        while time.monotonic() < deadline:
            time.sleep(max(1.0, self._setting.interval))
            if not daemon.running:
                raise DaemonError(f"the Backup ended with exit code {daemon.poll()}: {daemon.last_words()}")
            now = daemon.cpu_seconds()
            used, before = now - before, now
            if last is not None and abs(used - last) <= 0.15 * max(used, last) + 0.01:
                return
            last = used
        self._note_unsettled()

    def _note_taken_over(self, count):
        self.figures["false_takeovers"] = max(count, self.figures.get("false_takeovers", 0))

    def _receive(self):
        heard, (backup, active), _ = self._heard_window(self._daemons[BACKUP], self._daemons[ACTIVE])
        if "cpu-receive" in self._measures:
            self.figures["cpu_per_received"] = backup / heard.adverts
            self.figures["cpu_per_sent_backup"] = active / heard.adverts
        # One that was taken over and given back within the window has no address any more, but was heard.
        self._note_taken_over(max(self._addresses[BACKUP].count(), heard_elsewhere(self._setting, heard)))
        if "interval" in self._measures and self._setting.is_disturbed:
            self._interval(heard)

    # --- takeover ---------------------------------------------------------------------------------------------------

    def _takeover(self, event, is_last):
        if event == "linkdown" and self._setting.topology != "bridged":
            raise NotInTime("needs --topology bridged: the two ends of a veth pair go down together")
        setting, active, backup = self._setting, self._daemons[ACTIVE], self._daemons[BACKUP]
        ears = self._lan.ears(ACTIVE, BACKUP)
        try:
            time.sleep(0.5 + 1.5 * setting.interval)   # every router is heard at least once
            cpu = backup.cpu_seconds()
            moment = self._strike(event, active)
            up = self._wait_addresses(BACKUP, setting.address_count, self._start_seconds, f"takeover after {event}")
            time.sleep(AFTER_TAKEOVER_SECONDS)
            cpu = self._cpu_when_announced(backup) - cpu
        finally:
            heard = self._stop(ears)
        result = evaluate(setting, moment, heard, after_stop=event == "stop")
        for name in ("worst_lateness", "median_lateness", "advert_lateness", "last_announced", "missing", "wrong_mac", "early", "unheard"):
            self.figures[f"{event}_{name}"] = getattr(result, name)
        if event == "stop":
            self.figures["stop_without_goodbye"] = result.without_goodbye
        self.figures[f"{event}_addresses_up"] = up - moment
        self.figures[f"{event}_cpu_per_router"] = cpu / setting.routers
        self.curves[f"takeover-{event}"] = {"due": result.due, "announced": result.curve}
        if event in ("stop", "kill"):
            active.wait_gone(f"after {event}")
        if not is_last:
            self._come_back(event)

    def _cpu_when_announced(self, daemon):
        """What the daemon has used when it sends nothing but adverts: announcements follow the addresses, thousands of them for seconds."""
        deadline = time.monotonic() + ANNOUNCING_SECONDS
        while True:
            cpu = daemon.cpu_seconds()
            begin, before = time.monotonic(), self._sent[BACKUP].count()
            time.sleep(max(0.5, self._setting.interval))
            if self._is_quiet(self._sent[BACKUP].count() - before, time.monotonic() - begin):
                return cpu
            if time.monotonic() > deadline:
                self._note_unsettled()
                return cpu

    def _start_over(self):
        """After a measure that failed, when nobody knows who is Active."""
        for seat, daemon in zip(self._seats, self._daemons):
            if daemon and daemon.running:
                daemon.kill()
            self._lan.remove_leftovers(seat)
        if self._setting.topology == "bridged":
            self._lan.take_link_down(self._seats[ACTIVE], down=False)
        self._launch(ACTIVE)
        self._wait_addresses(ACTIVE, self._setting.address_count, self._start_seconds, "starting over")
        self._settle()
        self._start_backup()

    def _strike(self, event, active):
        if event == "kill":
            return active.strike()
        moment = time.monotonic()
        if event == "stop":
            active.ask_to_stop()
        else:
            self._lan.take_link_down(self._seats[ACTIVE])
        return moment

    def _come_back(self, event):
        """The first router becomes Active again, by its higher priority."""
        if event == "kill":
            self._lan.remove_leftovers(self._seats[ACTIVE])
        begin = time.monotonic()
        if event == "linkdown":
            self._lan.take_link_down(self._seats[ACTIVE], down=False)
        else:
            self._launch(ACTIVE)
        self._wait_addresses(ACTIVE, self._setting.address_count, self._start_seconds, f"return after {event}")
        gone = self._wait_addresses(BACKUP, 0, self._start_seconds, f"yielding after {event}")
        self.figures[f"{event}_return_seconds"] = gone - begin
        self._settle()


def quantile(late, gaps, share):
    """The lateness that `share` of all gaps do not exceed; gaps that are not in `late` were not late. `late`: sorted (lower end, count)."""
    beyond = gaps * (1 - share)
    for lower_end, count in reversed(late):
        beyond -= count
        if beyond < 0:
            return lower_end
    return 0.0
