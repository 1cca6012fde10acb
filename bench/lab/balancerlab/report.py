"""The table of bench/lab/balancer, for a terminal and for docs/balancer.md."""
import pathlib

BEGIN, END = "<!-- bench/lab/balancer: {} -->\n", "<!-- end -->\n"


def seconds(value):
    return f"{1e3 * value:.0f} ms" if value < 1 else f"{value:.2f} s"


ROWS = (
    ("check of the configuration (`-t`)", "test", seconds),
    ("... processor", "test_cpu", seconds),
    ("start, until the kernel has the whole table", "start", seconds),
    ("... processor", "start_cpu", seconds),
    ("memory of all its processes", "memory", lambda value: f"{value / (1 << 20):.0f} MiB"),
    ("checks a second", "checks", "{:.0f}".format),
    ("... wanted", "wanted_checks", "{:.0f}".format),
    ("processor for a check", "check_cpu", lambda value: f"{1e6 * value:.0f} us"),
    ("good servers that are out meanwhile", "lost", str),
    ("servers that go silent", "silent", str),
    ("until the last of them is out", "silent_out", seconds),
    ("checks of the others a second meanwhile", "silent_checks", "{:.0f}".format),
    ("good servers that are out then", "silent_lost", str),
    ("until all are in again", "back", seconds),
    ("reload with one server more, until the kernel has it", "reload", seconds),
    ("... processor", "reload_cpu", seconds),
    ("other changes of the table by it", "reload_changes", str),
    ("stop", "stop", seconds),
    ("services left in the table", "stop_left", str),
)


def table(results):
    names = list(results)
    lines = ["| | " + " | ".join(names) + " |" + (" ratio |" if len(names) == 2 else ""), "|---|" + "--:|" * (len(names) + (len(names) == 2))]
    for title, field, show in ROWS:
        values = [getattr(results[name], field) for name in names]
        if not any(value is not None for value in values):
            continue
        cells = ["not reached" if value is None else show(value) for value in values]
        if len(names) == 2:
            cells.append(f"{values[1] / values[0]:.1f}" if None not in values and values[0] and isinstance(values[0], float) else "")
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    notes = [f"{name}: {figures.trouble}." for name, figures in results.items() if figures.trouble]
    return "\n".join(lines + ([""] + notes if notes else [])) + "\n"


def write(path, name, results, setting):
    """Replaces what is between the two marks of the document; the words around it stay."""
    path, begin = pathlib.Path(path), BEGIN.format(name)
    before, found, rest = path.read_text(encoding="utf-8").partition(begin)
    _, mark, after = rest.partition(END)
    if not found or not mark:
        raise ValueError(f"{path}: has not the lines {begin.strip()} and {END.strip()}")
    path.write_text(f"{before}{begin}{setting}\n\n{table(results)}{END}{after}", encoding="utf-8")
