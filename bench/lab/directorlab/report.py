"""The tables of bench/lab/directors: for a terminal, and docs/directors.md."""
import pathlib

from . import story

COLUMNS = ("requests", "failed", "longest without a page", "long-lived broken", "pages of the sorry server")


def cells(figures):
    return (str(figures.requests), str(figures.failed), f"{figures.longest_gap:.2f} s", f"{figures.broken} of {figures.long_lived}", str(figures.sorry))


def reasons(figures):
    return ", ".join(f"{count} {reason}" for reason, count in sorted(figures.reasons.items()))


def line(event, figures):
    why = reasons(figures)
    return f"  {event.title:<60}" + "".join(f"{cell:>10}" for cell in cells(figures)) + (f"  ({why})" if why else "")


def heading():
    return "  " + " " * 60 + "".join(f"{cell:>10}" for cell in ("requests", "failed", "longest", "broken", "sorry"))


def markdown(all_results, setting):
    names = list(all_results)
    text = [f"| event | daemon | {' | '.join(COLUMNS)} |", "|---|---|" + "--:|" * len(COLUMNS)]
    for event in story.EVENTS:
        for place, name in enumerate(names):
            figures = all_results[name].get(event.name)
            if figures:
                text.append(f"| {event.title if place == 0 else ''} | {name} | {' | '.join(cells(figures))} |")
    return setting + "\n\n" + "\n".join(text) + "\n"


BEGIN, END = "<!-- bench/lab/directors -->\n", "<!-- end -->\n"


def write(path, all_results, setting):
    """Replaces what is between the two marks of the document; the words around it stay."""
    path = pathlib.Path(path)
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"{path}: has not the lines {BEGIN.strip()} and {END.strip()}")
    path.write_text(before + BEGIN + markdown(all_results, setting) + END + after, encoding="utf-8")
