#!/usr/bin/env python3
"""The ledger may not rot: every MUST and MUST NOT has two tests that exist, or a reason why not.

usage: check_ledger.py LEDGER BUILD_DIRECTORY CTEST

A test is named "Suite.Name" as a GoogleTest binary of this build lists it, or "ctest:name" as ctest lists it. Tests that a
reason mentions must exist too. Reasons without tests begin with one of the words of REASONS.
"""

import collections
import csv
import json
import os
import re
import subprocess
import sys

COLUMNS = ["id", "section", "level", "role", "requirement", "obeyed_test", "refused_test", "reason"]
REASONS = ("kernel", "operator", "n/a", "later", "deviation", "superseded", "as", "sent")
MENTIONED = re.compile(r"\b[A-Z]\w+\.[A-Z]\w+\b")


def list_gtests(binary):
    listing = subprocess.run([binary, "--gtest_list_tests"], capture_output=True, text=True, timeout=60, check=True).stdout
    suite = ""
    for line in listing.splitlines():
        name = line.split("#")[0].rstrip()
        if name.endswith(".") and not line.startswith(" "):
            suite = name
        elif line.startswith("  "):
            yield suite + name.strip()


def is_gtest(path):
    if not os.access(path, os.X_OK) or not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        content = file.read()
    return content.startswith(b"\x7fELF") and b"gtest_list_tests" in content


def existing_tests(build, ctest):
    """Names of all tests of this build, and the binaries that are registered but not built."""
    shown = subprocess.run([ctest, "--show-only=json-v1", "--test-dir", build], capture_output=True, text=True, timeout=120, check=True)
    names, absent = set(), []
    for test in json.loads(shown.stdout)["tests"]:
        names.add("ctest:" + test["name"])
        command = test.get("command", [""])
        if not os.path.exists(command[0]):
            absent.append(test["name"])
        elif command[0].startswith(os.path.realpath(build)) and is_gtest(command[0]):
            names.update(list_gtests(command[0]))
    return names, absent


def read_ledger(path):
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        if rows.fieldnames != COLUMNS:
            sys.exit(f"{path}: columns are {rows.fieldnames}, expected {COLUMNS}")
        return list(rows)


def problems_of(row, names):
    if None in row or None in row.values():
        yield "has another number of columns"
        return
    tests = [test for test in (row["obeyed_test"], row["refused_test"]) if test]
    for test in tests + MENTIONED.findall(row["reason"]):
        if test not in names:
            yield f"names {test}, which does not exist"
    if not row["level"].startswith("MUST") or row["id"].startswith("RFC5798"):
        return
    if len(tests) == 1:
        yield "has one test; it needs two, or none and a reason"
    elif not tests and not re.match(r"(%s)\b" % "|".join(REASONS), row["reason"]):
        yield "has neither tests nor a reason"
    elif len(tests) == 2 and tests[0] == tests[1]:
        yield "names the same test twice"


def print_counts(rows):
    for rfc in ("RFC9568", "RFC3768"):
        musts = [row for row in rows if row["id"].startswith(rfc) and row["level"].startswith("MUST")]
        tested = [row for row in musts if row["obeyed_test"]]
        why = collections.Counter(re.match(r"[\w/]+", row["reason"]).group() for row in musts if not row["obeyed_test"])
        deviations = sum(row["reason"].startswith("deviation") for row in tested)
        print(f"{rfc}: {len(musts)} MUST and MUST NOT, {len(tested)} with two tests ({deviations} of them with a stated deviation), "
              f"{len(musts) - len(tested)} with a reason: " + ", ".join(f"{word} {count}" for word, count in sorted(why.items())))


def main():
    ledger, build, ctest = sys.argv[1:]
    rows = read_ledger(ledger)
    names, absent = existing_tests(os.path.realpath(build), ctest)
    problems = [f"{row['id']} {problem}" for row in rows for problem in problems_of(row, names)]
    problems += [f"{name} stands there twice" for name, count in collections.Counter(row["id"] for row in rows).items() if count > 1]
    if problems and absent:
        print("registered but not built: " + ", ".join(absent))
    for problem in problems:
        print(problem)
    if problems:
        sys.exit(1)
    print_counts(rows)


if __name__ == "__main__":
    main()
