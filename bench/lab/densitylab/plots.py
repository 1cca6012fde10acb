"""PNG plots of takeovers and of lateness, by matplotlib."""
import pathlib

LEAD_SECONDS = 0.2     # shown before the protocol's own time
COLOURS = ("tab:blue", "tab:orange", "tab:green", "tab:red")


def why_not():
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return "python3-matplotlib is not installed, which --plots needs (packaging/install-dependencies plots)"
    return None


def _figure():
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    return pyplot, *pyplot.subplots(figsize=(9, 5), constrained_layout=True)


def _save(pyplot, figure, path):
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
    print(f"plot: {path}")


def _slug(setting):
    parts = [f"{setting.routers}", f"{setting.interval:g}s", setting.mode, setting.topology, setting.backend]
    if setting.addresses > 1:
        parts.insert(1, f"x{setting.addresses}")
    return "-".join(part for part in parts if part)


def draw_takeover(directory, results, event):
    """Addresses announced over the time since the event, each daemon's runs, and between which times the protocol lets routers take over."""
    curves = {name: [run[f"takeover-{event}"] for run in runs if f"takeover-{event}" in run] for name, runs in results.curves.items()}
    if not any(curves.values()):
        return
    pyplot, figure, axes = _figure()
    for colour, (name, runs) in zip(COLOURS, curves.items()):
        for number, curve in enumerate(runs):
            times, counts = zip(*curve["announced"]) if curve["announced"] else ((), ())
            axes.plot(times, counts, drawstyle="steps-post", color=colour, label=name if number == 0 else None)
            axes.axvspan(*curve["due"], color=colour, alpha=0.12, label=f"{name}: the protocol's own time" if number == 0 else None)
    axes.set_title(f"Takeover after {event}: {results.setting.describe()}")
    axes.set_xlabel("seconds after the event")
    axes.set_ylabel("addresses announced by the new Active")
    axes.set_xlim(left=max(0, min(run["due"][0] for runs in curves.values() for run in runs) - LEAD_SECONDS))
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left")
    _save(pyplot, figure, directory / f"takeover-{event}-{_slug(results.setting)}.png")


def exceeding(curve):
    """(lateness in ms, share of gaps that exceed it) from the largest down."""
    points, seen = [], 0
    for lower_end, count in reversed(curve["late"]):
        seen += count
        points.append((lower_end * 1e3, seen / curve["gaps"]))
    return points[::-1]


def draw_lateness(directory, results):
    curves = {name: [run["lateness"] for run in runs if "lateness" in run] for name, runs in results.curves.items()}
    if not any(curves.values()):
        return
    pyplot, figure, axes = _figure()
    for colour, (name, runs) in zip(COLOURS, curves.items()):
        for number, curve in enumerate(runs):
            points = [(max(lateness, 1e-3), share) for lateness, share in exceeding(curve)]
            if points:
                axes.loglog(*zip(*points), drawstyle="steps-post", color=colour, label=name if number == 0 else None)
    axes.set_title(f"Lateness on the wire: {results.setting.describe()}")
    axes.set_xlabel("gap between two adverts of a router beyond its interval, ms")
    axes.set_ylabel("share of gaps that are longer")
    axes.grid(alpha=0.3, which="both")
    axes.legend(loc="lower left")
    _save(pyplot, figure, directory / f"lateness-{_slug(results.setting)}.png")


def draw_all(directory, all_results):
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    for results in all_results:
        for event in ("stop", "kill", "linkdown"):
            draw_takeover(directory, results, event)
        draw_lateness(directory, results)
