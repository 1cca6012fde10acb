"""The list behind --goals: what the project aims at, each with the run that shows it.

Groups run one after another; one that fails leaves its goals without a figure and the next begins.
"""
import dataclasses
import traceback

from . import figures as shown
from .report import middle, print_results, print_table
from .setting import Setting

DAEMONS = ("vigil", "keepalived")
ALL_SENDING = ("config-test", "start", "cpu-send", "interval", "memory")


@dataclasses.dataclass(frozen=True)
class Goal:
    text: str
    key: str
    limit: float
    show: object = shown.seconds


@dataclasses.dataclass(frozen=True)
class Group:
    name: str
    setting: Setting
    measures: tuple
    goals: tuple
    daemons: tuple = DAEMONS


TAKEOVER_LATE = 0.150   # seconds
PER_ROUTER = 30e-6      # seconds of CPU


def _takeover_goals(what, key="kill"):
    return (Goal(f"{what}: last address announced within 150 ms of the protocol's own time", f"{key}_worst_lateness", TAKEOVER_LATE),
            Goal(f"{what}: CPU per router taken over", f"{key}_cpu_per_router", PER_ROUTER),
            Goal(f"{what}: no address missing", f"{key}_missing", 0, shown.count),
            Goal(f"{what}: no address with the wrong kind of MAC", f"{key}_wrong_mac", 0, shown.count),
            Goal(f"{what}: no router early", f"{key}_early", 0, shown.count))


def _groups(backend=""):
    suffix = f"-{backend}" if backend else ""
    yield Group("full" + suffix, Setting(256, 255, backend=backend), ALL_SENDING, (
        Goal("65,280 routers: start until every address is up", "start_seconds", 6.0),
        Goal("65,280 routers: config test", "config_test_seconds", 0.5),
        Goal("65,280 routers: CPU per advert sent, nobody listening", "cpu_per_sent_alone", 1.5e-6),
        Goal("65,280 routers: memory per router (Pss)", "pss_per_router", 1024, shown.size)))
    yield Group("4080" + suffix, Setting(16, 255, backend=backend), ALL_SENDING + ("cpu-receive", "takeover-stop", "takeover-kill"), (
        Goal("4,080 routers: CPU per advert sent, nobody listening", "cpu_per_sent_alone", 2e-6),
        Goal("4,080 routers: CPU per advert received", "cpu_per_received", 1.5e-6),
        *_takeover_goals("4,080 routers, kill -9")))
    yield Group("10ms" + suffix, Setting(16, 255, interval=0.01, backend=backend), ("cpu-send", "interval"), (
        Goal("4,080 routers at 10 ms: mean interval", "mean_interval", 0.01005, shown.interval),
        Goal("4,080 routers at 10 ms: longest gap", "longest_gap", 0.015, shown.interval)))
    trouble = "4,064 routers at 100 ms beside stress-ng, reloading, log blocked"
    yield Group("stress" + suffix, Setting(16, 254, interval=0.1, backend=backend, global_defs="vrrp_rt_priority 1", stress=True, reloads=True,
                                           blocked_log=True), ("interval", "cpu-receive"), (
        Goal(f"{trouble}: 99.9 % of the adverts late by", "late_p999", 0.005, shown.interval),
        Goal(f"{trouble}: no false failover", "false_takeovers", 0, shown.count)))
    yield Group("20addresses" + suffix, Setting(1, 255, addresses=20, backend=backend), ("takeover-kill",),
                _takeover_goals("255 routers x 20 addresses, kill -9"))
    yield Group("vmac-set" + suffix, Setting(16, 255, mode="vmac-set", backend=backend), ("start", "takeover-stop", "takeover-kill"),
                _takeover_goals("4,080 virtual MACs, kill -9"))
    if not backend:
        yield Group("vmac", Setting(1, 255, mode="vmac"), ("start", "takeover-kill"), _takeover_goals("255 macvlans, kill -9"))
        yield Group("linkdown", Setting(16, 255, topology="bridged"), ("takeover-linkdown",),
                    _takeover_goals("4,080 routers, link down, bridged", "linkdown"))


# The peer has no second backend: it is not run again.
GROUPS = tuple(_groups()) + tuple(dataclasses.replace(group, daemons=DAEMONS[:1]) for group in _groups("epoll"))


def complaint(names):
    known = [group.name for group in GROUPS]
    unknown = [name for name in names.split(",") if name and name not in known]
    return f"no group of goals '{unknown[0]}'; there are: {' '.join(known)}" if unknown else None


def _row(goal, results):
    own, *peers = [results.values(name, goal.key) for name in results.names]
    reached = goal.show(middle(own)) if own else "-"
    peer = goal.show(middle(peers[0])) if peers and peers[0] else "-"
    verdict = ("reached" if middle(own) <= goal.limit else "MISSED") if own else "not measured"
    backend = f" ({results.setting.backend})" if results.setting.backend else ""
    return [goal.text + backend, goal.show(goal.limit), reached, peer, verdict]


def run(lab, names, repeat):
    """Runs the named groups (all without names) and prints each, and goal by goal at the end, also after Ctrl-C."""
    wanted = [name for name in names.split(",") if name] or [group.name for group in GROUPS]
    rows = [["goal", "at most", "reached", "keepalived", ""]]
    try:
        for group in (group for group in GROUPS if group.name in wanted):
            try:
                results = lab.run(group.setting, group.daemons, group.measures, repeat)
                print_results(results)
                rows += [_row(goal, results) for goal in group.goals]
            except Exception:  # whatever it is, the next group is tried
                traceback.print_exc()
                rows += [[goal.text, goal.show(goal.limit), "-", "-", "failed"] for goal in group.goals]
    finally:
        print("\nGoals")
        print_table(rows)
