"""What it ran on."""
import os
import pathlib
import platform
import re
import subprocess


def _first(path, pattern):
    try:
        found = re.search(pattern, pathlib.Path(path).read_text(encoding="utf-8", errors="replace"), re.M)
    except OSError:
        return ""
    return found[1].strip() if found else ""


def _version(program):
    """The first line of `program -v`, wherever it goes."""
    try:
        done = subprocess.run([program, "-v"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return "?"
    return (done.stdout + done.stderr).strip().partition("\n")[0]


def _build(program):
    """Compiler and build type of a build tree that the program lies in, or nothing."""
    for folder in pathlib.Path(program).resolve().parents:
        cache = folder / "CMakeCache.txt"
        if cache.exists():
            compiler = _first(cache, r"^CMAKE_CXX_COMPILER:\w+=(.*)$")
            try:
                line = subprocess.run([compiler, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout.partition("\n")[0]
            except (OSError, subprocess.SubprocessError):
                line = compiler
            return f", {line}, {_first(cache, r'^CMAKE_BUILD_TYPE:[A-Z]+=(.*)$') or 'no build type'}"
    return ""


def describe(kinds):
    """Lines about machine, load and programs; `kinds` are daemon classes."""
    memory = int(_first("/proc/meminfo", r"^MemTotal:\s+(\d+)") or 0) / (1 << 20)
    lines = [f"machine: {os.cpu_count()} CPUs, {_first('/proc/cpuinfo', r'^model name.*?: (.*)$') or platform.machine()}, {memory:.0f} GiB; "
             f"Linux {platform.release()}; load average {os.getloadavg()[0]:.1f} at the beginning"]
    for kind in kinds:
        program = kind.program()
        lines.append(f"{kind.kind}: {_version(program)}{_build(program)}")
    return lines
