#!/usr/bin/env python3
"""Every keyword of keepalived.conf that matters (tiers 1 and 2) has a test of its effect on a real kernel or wire; every other one loads.

    tests/keywords/check_ledger.py VIGIL            compares `VIGIL keywords`, ledger.tsv, the tests and every.conf
    tests/keywords/check_ledger.py VIGIL --write    and writes docs/keywords.md

ledger.tsv names one test for each keyword, `none` and a reason after it where there is none yet. `VIGIL`: the built program.
"""
import csv
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]

HEADER = """# Keywords and their tests

Made by `tests/keywords/check_ledger.py build/bin/vigil --write` from `vigil keywords` and tests/keywords/ledger.tsv; the test `keywords` fails when a keyword of
tier 1 or 2 has no test of its effect on a real kernel or wire, or a test that is named here does not exist. Keywords of tier 3 are in tests/keywords/every.conf, which has to
load without an error; "later" are those that are understood, but not yet acted on, which need no test until they are.

| block | keyword | tier | | test of its effect |
|---|---|---|---|---|
"""


def keywords(vigil):
    text = subprocess.run([vigil, "keywords"], capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        block, keyword, tier, status, note = line.split("\t")
        yield block, keyword, tier, status, note


def read_ledger():
    with open(HERE / "ledger.tsv", encoding="utf-8", newline="") as file:
        return {(row["block"], row["keyword"]): (row["file"], row["test"]) for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}


def why_no_test(file, test):
    """What is wrong with a line of the ledger, or None."""
    if file == "none":
        return None if test else "'none' without a reason"
    path = TOP / file
    if not path.is_file():
        return f"there is no file '{file}'"
    text = path.read_text(encoding="utf-8")
    if not re.search(rf"def {re.escape(test)}\(|TEST(_F)?\(\w+, {re.escape(test)}\)|\"{re.escape(test)}\"", text):
        return f"there is no test '{test}' in {file}"
    return None


def main():
    vigil, *options = sys.argv[1:]
    ledger, problems, rows = read_ledger(), [], []
    unknown = set(ledger)
    every = (HERE / "every.conf").read_text(encoding="utf-8")
    loads = set(re.findall(r"^\s*([\w.-]+)", every, re.MULTILINE))
    for block, keyword, tier, status, note in keywords(vigil):
        file, test = ledger.get((block, keyword), ("", ""))   # blocks of one name share their rows: url
        unknown.discard((block, keyword))
        if not file and tier != "T3" and status != "later":
            problems.append(f"{block}: {keyword} ({tier}) has no test in ledger.tsv")
        if file and (why := why_no_test(file, test)):
            problems.append(f"{block}: {keyword}: {why}")
        if keyword not in loads:
            problems.append(f"{block}: {keyword} is not in every.conf")
        shown = "loads" if not file else f"**none**: {test}" if file == "none" else f"{file} {test}"
        rows.append(f"| {block} | `{keyword}` | {tier[1:]} | {note or status} | {shown} |\n")
    problems += [f"ledger.tsv: {block}: {keyword} is no keyword" for block, keyword in sorted(unknown)]
    checked = subprocess.run([vigil, "check", str(HERE / "every.conf")], capture_output=True, text=True, check=False).stdout
    problems += [f"every.conf: {line}" for line in checked.splitlines() if ": error: " in line]
    for problem in problems:
        print(problem)
    print(f"{len(rows)} keywords, {len(problems)} problems")
    if "--write" in options and not problems:
        (TOP / "docs" / "keywords.md").write_text(HEADER + "".join(rows), encoding="utf-8")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
