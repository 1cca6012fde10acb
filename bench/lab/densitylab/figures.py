"""What can be measured, in which unit it is told, and which way is better."""
import dataclasses

MEASURES = ("config-test", "start", "cpu-send", "interval", "cpu-receive", "memory", "reload", "takeover-stop", "takeover-kill", "takeover-linkdown")


def seconds(value):
    if abs(value) >= 9.995:
        return f"{value:.1f} s"
    if abs(value) >= 0.9995:
        return f"{value:.2f} s"
    if abs(value) >= 0.0009995:
        return f"{value * 1e3:.3g} ms"
    return f"{value * 1e6:.3g} us"


def interval(value):
    """A time whose small differences matter."""
    return f"{value:.4f} s" if value >= 1 else f"{value * 1e3:.3f} ms"


def count(value):
    return f"{value:,.0f}"


def size(value):
    return f"{value:,.0f} B"


def percent(value):
    return f"{value * 100:.1f} %"


@dataclasses.dataclass(frozen=True)
class Figure:
    measure: str
    key: str
    label: str
    show: object = seconds
    hide_zero: bool = False    # only worth a line when something is wrong


def _takeover(event):
    measure, key = f"takeover-{event}", f"{event}_"
    name = {"stop": "stop", "kill": "kill -9", "linkdown": "link down"}[event]
    found = (
        Figure(measure, key + "worst_lateness", f"{name}: last address announced, after the protocol's own time"),
        Figure(measure, key + "median_lateness", f"{name}: the same, median router"),
        Figure(measure, key + "advert_lateness", f"{name}: last router's first advert, after the protocol's own time"),
        Figure(measure, key + "last_announced", f"{name}: last address announced, after the event"),
        Figure(measure, key + "addresses_up", f"{name}: all addresses in the kernel, after the event"),
        Figure(measure, key + "cpu_per_router", f"{name}: CPU of the new Active per router"),
        Figure(measure, key + "return_seconds", f"{name}: way back, from start (or link up) until all addresses moved"),
        Figure(measure, key + "missing", f"{name}: addresses not announced", count, True),
        Figure(measure, key + "wrong_mac", f"{name}: addresses announced with the wrong kind of MAC", count, True),
        Figure(measure, key + "early", f"{name}: routers taken over too early", count, True),
        Figure(measure, key + "unheard", f"{name}: routers never heard before", count, True),
    )
    if event == "stop":
        found += (Figure(measure, "stop_without_goodbye", "stop: routers without a priority 0", count, True),)
    return found


FIGURES = (
    Figure("config-test", "config_test_seconds", "config test, wall-clock time"),
    Figure("config-test", "config_test_cpu", "config test, CPU"),
    Figure("start", "start_seconds", "start until all addresses are up"),
    Figure("start", "start_announced", "start until the last address was announced first"),
    Figure("start", "start_cpu", "CPU of the start"),
    Figure("cpu-send", "cpu_per_sent_alone", "CPU per advert sent, nobody listening"),
    Figure("cpu-send", "cpu_per_sent", "CPU per advert sent, with the observer"),
    Figure("cpu-send", "sent_per_second", "adverts per second", count),
    Figure("interval", "mean_interval", "mean interval", interval),
    Figure("interval", "longest_gap", "longest gap", interval),
    Figure("interval", "late_p50", "gap beyond the interval, median"),
    Figure("interval", "late_p999", "gap beyond the interval, 99.9 %"),
    Figure("cpu-receive", "cpu_per_received", "CPU per advert received, as Backup"),
    Figure("cpu-receive", "cpu_per_sent_backup", "CPU per advert sent, with a live Backup"),
    Figure("memory", "pss_per_router", "memory per router (Pss, all processes)", size),
    Figure("memory", "rss_per_router", "memory per router (Rss, all processes)", size),
    Figure("reload", "reload_seconds", "reload with one more router: its first advert, after the protocol's own time"),
    Figure("reload", "reload_cpu", "reload with one more router: CPU beyond that of the adverts"),
    Figure("reload", "reload_longest_gap", "reload with one more router: longest gap of the others", interval),
    Figure("reload", "reload_late_p999", "reload with one more router: gap of the others beyond the interval, 99.9 %"),
    Figure("reload", "reload_disturbed", "reload with one more router: others with a transition or an announcement", count),
    *(figure for event in ("stop", "kill", "linkdown") for figure in _takeover(event)),
    Figure("observer", "false_takeovers", "addresses, or routers, that the Backup took while the Active runs", count, True),
    Figure("observer", "reloads", "reloads of each router meanwhile", count, True),
    Figure("observer", "observer_lost", "frames the observer lost", count),
    Figure("observer", "not_settled", "measurements begun before it was quiet", count, True),
)
