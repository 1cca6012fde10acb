"""Tables of figures, one column for each daemon, and the same as JSON."""
import json
import pathlib
import statistics

from .figures import FIGURES


def middle(values):
    return statistics.median(values)


def _cell(figure, values):
    if not values:
        return "-"
    text = figure.show(middle(values))
    if len(values) > 1 and max(values) > min(values):
        text += f" ({figure.show(min(values))} to {figure.show(max(values))})"
    return text


class Results:
    """Figures of one setting: daemon -> one dict of figures for each repetition."""

    def __init__(self, setting, kinds):
        self.setting = setting
        self.names = [kind.kind for kind in kinds]
        self.runs = {name: [] for name in self.names}
        self.errors = {name: [] for name in self.names}
        self.curves = {name: [] for name in self.names}

    def add(self, name, figures, errors, curves):
        self.runs[name].append(figures)
        self.errors[name] += [f"{measure}: {text}" for measure, text in errors.items()]
        self.curves[name].append(curves)

    def values(self, name, key):
        return [run[key] for run in self.runs.get(name, ()) if key in run]

    def rows(self):
        for figure in FIGURES:
            columns = [self.values(name, figure.key) for name in self.names]
            if not any(columns) or (figure.hide_zero and not any(any(values) for values in columns)):
                continue
            row = [figure.label, *(_cell(figure, values) for values in columns)]
            if len(columns) == 2:
                row.append(_ratio(columns))
            yield row

    def as_json(self):
        return {"setting": vars(self.setting) | {"routers": self.setting.routers}, "daemons": {
            name: {"runs": self.runs[name], "errors": self.errors[name], "curves": self.curves[name]} for name in self.names}}


def _ratio(columns):
    """How many times the second daemon's figure is the first's."""
    if not all(columns) or middle(columns[0]) <= 0 or middle(columns[1]) <= 0:
        return ""
    return f"{middle(columns[1]) / middle(columns[0]):.3g}"


def print_table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


def print_results(results):
    print(f"\n{results.setting.describe()}")
    rows = list(results.rows())
    if rows:
        heading = ["figure", *results.names, *(["times"] if len(results.names) == 2 else [])]
        print_table([heading, *rows])
    for name, errors in results.errors.items():
        for text in errors:
            print(f"  {name}: {text}")


def write_json(path, command, machine, all_results):
    document = {"command": command, "machine": machine, "results": [results.as_json() for results in all_results]}
    pathlib.Path(path).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
