#!/usr/bin/env python3
"""Who may include whom, and which code may ask the kernel or a clock: the layers of docs/architecture.md, read from #include lines.

usage: check_layering.py SOURCE_DIRECTORY

Before the tree is read, each rule is tried on a line that breaks it: a rule that finds nothing is a broken rule.
"""

import os
import re
import sys

LINES_LIMIT = 500

# What a layer may include of the product, and which groups of foreign headers.
LAYERS = {
    "packet": ({"packet"}, {"expected", "nettle"}),
    "arp": ({"packet", "arp"}, {"expected"}),
    "arp/netlink": ({"packet", "arp/netlink"}, {"expected", "libmnl", "kernel"}),
    "arp/kernel": ({"packet", "arp/netlink", "arp", "arp/kernel"}, {"expected", "libmnl", "libnftnl", "kernel", "files", "threads"}),
    "config": ({"packet", "config"}, {"expected", "fmt"}),
    "ipvs": ({"packet", "arp/netlink", "ipvs"}, {"expected", "fmt", "libmnl", "kernel", "boost"}),
    "ipvs/checkers": ({"packet", "ipvs/checkers"}, {"expected", "fmt", "nettle", "kernel", "boost", "openssl", "pcre2", "nghttp2"}),
    "engine/core": ({"packet", "arp", "engine/core"}, {"expected", "fmt"}),
    "engine/io": ({"packet", "arp", "engine/core", "engine/io"}, {"expected", "fmt", "liburing", "kernel", "threads", "time"}),
    "engine/bfd": ({"packet", "engine/bfd"}, {"expected", "fmt"}),
    "engine/bfd/io": ({"packet", "engine/core", "engine/io", "engine/bfd", "engine/bfd/io"}, {"expected", "fmt", "kernel", "time"}),
    "engine/snmp": ({"packet", "engine/snmp"}, {"netsnmp", "kernel", "files"}),
    "engine/daemon": ({"packet", "arp", "arp/netlink", "arp/kernel", "config", "ipvs", "ipvs/checkers", "engine/core", "engine/io", "engine/bfd",
                       "engine/bfd/io", "engine/snmp", "engine/daemon"},
                      {"expected", "fmt", "spdlog", "boost", "kernel", "files", "threads", "time"}),
    "engine/cli": ({"packet", "arp", "config", "ipvs/checkers", "engine/core", "engine/io", "engine/daemon", "engine/cli"},
                   {"expected", "fmt", "spdlog", "boost", "cli11", "pcap", "nettle", "kernel", "files", "threads", "time"}),
}

# Single files that may do more, and why.
EXCEPTIONS = {
    "packet/address.cpp": {"kernel"},           # inet_pton and inet_ntop: pure functions of libc
    "config/host_file_system.cpp": {"kernel", "files"},  # the one place where a configuration is read from disk
}

# The first pattern that fits names the group. Standard headers that no pattern names are free for all.
GROUPS = (
    ("expected", r"tl/expected\.hpp"),
    ("fmt", r"fmt/.*"),
    ("spdlog", r"spdlog/.*"),
    ("nettle", r"nettle/.*"),
    ("cli11", r"CLI/.*"),
    ("openssl", r"openssl/.*|boost/asio/ssl/.*"),
    ("pcre2", r"pcre2.*"),
    ("nghttp2", r"nghttp2/.*"),
    ("boost", r"boost/.*"),
    ("pcap", r"pcap(/.*|\.h)"),
    ("netsnmp", r"net-snmp/.*"),
    ("libmnl", r"libmnl/.*"),
    ("libnftnl", r"libnftnl/.*"),
    ("liburing", r"liburing(/.*|\.h)"),
    ("files", r"fstream|filesystem|iostream|cstdio"),
    ("threads", r"thread|mutex|shared_mutex|condition_variable|future|semaphore|latch|barrier"),
    ("time", r"ctime"),
    ("kernel", r".*\.h"),
)

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
CLOCK = re.compile(r"\b(clock_gettime|clock_nanosleep|gettimeofday|timespec_get|nanosleep|usleep|std::time)\s*\(|"
                   r"\b(steady_clock|system_clock|high_resolution_clock)\b|(?<![\w.:>])time\s*\(\s*(nullptr|NULL|0|&)")
# Layers whose code never knows what time it is; engine/io asks in clock.h and clock.cpp alone.
TIMELESS = {"packet", "arp/netlink", "arp", "arp/kernel", "config", "engine/core", "engine/io", "engine/bfd", "engine/bfd/io"}
CLOCKS = {"engine/io/clock.h", "engine/io/clock.cpp"}


def layer_of(path):
    folders = path.split("/")[:-1]
    while folders:
        if "/".join(folders) in LAYERS:
            return "/".join(folders)
        folders.pop()
    return None


def group_of(header):
    return next((group for group, pattern in GROUPS if re.fullmatch(pattern, header)), None)


def without_comment(line):
    return line.split("//")[0]


def problem_of_include(path, quote, header, files):
    layer = layer_of(path)
    may_include, may_use = LAYERS[layer]
    if quote == '"':
        if header not in files:
            return f"includes \"{header}\", which does not stand there by its path from the root"
        if layer_of(header) not in may_include:
            return f"includes \"{header}\", but {layer} may include only {', '.join(sorted(may_include))}"
        return None
    group = group_of(header)
    if group and group not in may_use | EXCEPTIONS.get(path, set()):
        return f"includes <{header}>, but {layer} may not use {group} headers"
    return None


def problems_of_layering(files):
    for path, text in files.items():
        if layer_of(path) is None:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            found = INCLUDE.match(line)
            problem = problem_of_include(path, *found.groups(), files) if found else None
            if problem:
                yield f"{path}:{number} {problem}"
            if layer_of(path) in TIMELESS and path not in CLOCKS and CLOCK.search(without_comment(line)):
                yield f"{path}:{number} asks a clock; time is an argument, and only engine/io/clock.h asks the kernel"


def problems_of_size(files):
    for path, text in files.items():
        count = text.count("\n")
        if count > LINES_LIMIT:
            yield f"{path} has {count} lines, more than {LINES_LIMIT}"


def problems_of(files):
    return [*problems_of_layering(files), *problems_of_size(files)]


def read_tree(root):
    files = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith((".", "build", "cmake-build"))]
        for name in names:
            if name.endswith((".cpp", ".h", ".py")):
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as file:
                    files[os.path.relpath(path, root)] = file.read()
    return files


WRONG = (
    ("packet/a.h", '#include "arp/a.h"'),
    ("packet/a.h", '#include "engine/core/a.h"'),
    ("packet/a.h", "#include <sys/socket.h>"),
    ("packet/a.h", "#include <fstream>"),
    ("packet/a.h", '#include "a.h"'),
    ("arp/a.h", '#include "arp/kernel/a.h"'),
    ("arp/a.h", "#include <libmnl/libmnl.h>"),
    ("arp/netlink/a.h", '#include "arp/kernel/a.h"'),
    ("config/a.h", '#include "engine/core/a.h"'),
    ("config/a.h", "#include <boost/asio.hpp>"),
    ("config/a.h", "#include <unistd.h>"),
    ("engine/core/a.h", '#include "config/a.h"'),
    ("engine/core/a.h", '#include "engine/io/a.h"'),
    ("engine/core/a.h", '#include "arp/kernel/a.h"'),
    ("engine/core/a.h", "#include <linux/if_packet.h>"),
    ("engine/core/a.h", "#include <thread>"),
    ("engine/core/a.h", "#include <ctime>"),
    ("engine/core/a.h", "auto now = std::chrono::steady_clock::now();"),
    ("engine/core/a.h", "seed = time(nullptr);"),
    ("engine/core/a.h", "\n" * (LINES_LIMIT + 1)),
    ("engine/io/a.h", '#include "engine/daemon/a.h"'),
    ("engine/io/a.h", '#include "config/a.h"'),
    ("engine/io/a.h", "#include <boost/asio.hpp>"),
    ("engine/io/a.h", "clock_gettime(CLOCK_BOOTTIME, &time);"),
    ("engine/bfd/a.h", '#include "engine/bfd/io/a.h"'),
    ("engine/bfd/a.h", '#include "engine/io/a.h"'),
    ("engine/bfd/a.h", "#include <sys/socket.h>"),
    ("engine/bfd/io/a.h", '#include "engine/daemon/a.h"'),
    ("engine/bfd/io/a.h", "clock_gettime(CLOCK_BOOTTIME, &time);"),
    ("engine/daemon/a.h", "#include <liburing.h>"),
    ("engine/daemon/a.h", '#include "engine/cli/a.h"'),
    ("engine/daemon/a.h", "#include <net-snmp/net-snmp-config.h>"),
    ("engine/snmp/a.h", '#include "config/a.h"'),
    ("ipvs/a.h", '#include "config/a.h"'),
    ("ipvs/a.h", '#include "arp/kernel/a.h"'),
    ("ipvs/a.h", "#include <openssl/ssl.h>"),
    ("ipvs/checkers/a.h", '#include "ipvs/a.h"'),
    ("ipvs/checkers/a.h", '#include "config/a.h"'),
    ("ipvs/checkers/a.h", "#include <libmnl/libmnl.h>"),
    ("tests/a.cpp", "\n" * (LINES_LIMIT + 1)),
)
RIGHT = (
    ("engine/core/a.h", '#include "packet/a.h"\n#include "arp/a.h"\n#include <vector>\n#include <fmt/core.h>\n'),
    ("engine/core/a.h", "// steady_clock is engine/io's matter\nstd::string time(Instant at) const;\njournal.time(now);\n"),
    ("engine/daemon/a.h", '#include "arp/kernel/a.h"\n#include "config/a.h"\n#include <boost/asio.hpp>\nstd::time(nullptr);\n'),
    ("engine/io/clock.h", "clock_gettime(CLOCK_BOOTTIME, &time);\n"),
    ("config/host_file_system.cpp", "#include <glob.h>\n#include <fstream>\n"),
    ("tests/a.cpp", '#include "engine/io/a.h"\n#include "config/a.h"\n#include <boost/asio.hpp>\n'),
)


def try_rules():
    present = {f"{layer}/a.h": "" for layer in LAYERS}
    for path, text in WRONG:
        if not problems_of({**present, path: text}):
            sys.exit(f"no rule objects to {text.strip()!r} in {path}")
    for path, text in RIGHT:
        for problem in problems_of({**present, path: text}):
            sys.exit(f"a rule objects without cause: {problem}")


def main():
    try_rules()
    files = read_tree(sys.argv[1])
    problems = problems_of(files)
    for problem in problems:
        print(problem)
    layered = sum(layer_of(path) is not None for path in files)
    print(f"{layered} files in {len(LAYERS)} layers, {len(files)} files in all, {len(WRONG)} broken lines were found by their rules: "
          f"{len(problems)} problems")
    sys.exit(1 if problems or layered == 0 else 0)


if __name__ == "__main__":
    main()
