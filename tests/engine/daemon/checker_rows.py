"""Rows of checkers_test: a keyword, in a checker of one kind, and what it must do."""
import dataclasses

from checker_rig import (BESIDE, DNS_PORT, ECHO_PORT, FIRST, MAIL_PORT, OTHER_LINK, OTHER_OWN, PLAIN_PORT, TLS_PORT, WEB_PORT, refuse, server_address)

NEVER = 1000          # seconds that no test lasts
LONGEST = 4294        # seconds, of keywords that take some


@dataclasses.dataclass(frozen=True)
class Kind:
    name: str
    protocol: str      # of FIRST; empty: a program
    port: int
    block: str


KINDS = {kind.name: kind for kind in (
    Kind("TCP_CHECK", "tcp", PLAIN_PORT, "TCP_CHECK {\n@\n }"),
    Kind("HTTP_GET", "tcp", WEB_PORT, "HTTP_GET {\n url {\n path /\n }\n@\n }"),
    Kind("SSL_GET", "tcp", TLS_PORT, "SSL_GET {\n url {\n path /\n }\n@\n }"),
    Kind("SMTP_CHECK", "tcp", MAIL_PORT, "SMTP_CHECK {\n@\n }"),
    Kind("host", "tcp", MAIL_PORT, "SMTP_CHECK {\n host {\n@\n }\n }"),
    Kind("DNS_CHECK", "udp", DNS_PORT, "DNS_CHECK {\n@\n }"),
    Kind("UDP_CHECK", "udp", ECHO_PORT, "UDP_CHECK {\n require_reply\n@\n }"),
    Kind("PING_CHECK", "icmp", 80, "PING_CHECK {\n@\n }"),
    Kind("MISC_CHECK", "", 80, "MISC_CHECK {\n misc_path \"@DIR@/check @NUMBER@\"\n@\n }"))}
CONNECTED = [name for name in KINDS if name != "MISC_CHECK"]


@dataclasses.dataclass
class Row:
    keyword: str
    kind: Kind
    lines: str = ""             # of the checker
    real_server: str = ""       # lines of it
    virtual_server: str = ""
    level: str = "checker"      # where the keyword stands
    match: str = ""             # of the packets that begin a check
    fails: int | None = None    # so many of the checks that come after the first; -1: all
    is_silent: bool = False     # packets to it are lost
    starts_up: bool = False     # its virtual server does not say alpha
    number: int = 0             # its place in the list

    @property
    def address(self):
        return server_address(self.number)

    def fill(self, text):
        return (text.replace("@OTHER@", server_address(self.number, True)).replace("@PORT@", str(self.kind.port + BESIDE)).replace("@OWN_PORT@", str(20000 + self.number))
                .replace("@L4@", self.kind.protocol))

    def text(self):
        """Its virtual server. Most start as failed, so that the first success is told; defaults stand first, so that the row's line has the last word."""
        checker = self.kind.block.replace("@DIR@", DIRECTORY).replace("@NUMBER@", str(self.number)).replace("@", self.fill(self.lines))
        defaults = f"delay_loop {NEVER}\n warmup 0\n" if not self.is_silent else f"delay_loop {NEVER}\n warmup 0\n retry 1\n"
        return (f"virtual_server 10.9.{self.number // 200}.{1 + self.number % 200} 80 {{\n lb_algo rr\n lb_kind NAT\n protocol TCP\n {'' if self.is_silent or self.starts_up else 'alpha'}\n {defaults}"
                f"{self.virtual_server}\n real_server {self.address} {self.kind.port} {{\n {self.real_server}\n {checker}\n }}\n}}\n")

    def log_words(self):
        """How the log begins a line about its failure."""
        of = self.address if self.kind.protocol == "icmp" else f"{self.address}:{self.kind.port}"
        return f"{'SMTP_CHECK' if self.kind.name == 'host' else self.kind.name} of {of} failed: "

    def counters(self):
        """All first packets of it, and those that are as they must be."""
        both = f"ip daddr {{ {self.address}, {server_address(self.number, True)} }} {FIRST[self.kind.protocol]}"
        return {f"all{self.number}": both, f"right{self.number}": f"{both} {self.fill(self.match)}"}

    def failure(self):
        """Rules that fail packets, and count those that come through."""
        first = f"ip daddr {self.address} {FIRST[self.kind.protocol]}"
        limit = "" if self.fails < 0 else f"limit rate 1/day burst {self.fails} packets"
        return {f"failed{self.number}": f"{first} {limit} @ {refuse(self.kind.protocol)}", f"passed{self.number}": f"{first} @"}


DIRECTORY = ""   # of the test


def where_rows():
    """Where checks go and where they come from."""
    table = {"connect_ip": ("connect_ip @OTHER@", "ip daddr @OTHER@"), "connect_port": ("connect_port @PORT@", "@L4@ dport @PORT@"), "bindto": (f"bindto {OTHER_OWN}", f"ip saddr {OTHER_OWN}"),
             "bind_port": ("bind_port @OWN_PORT@", "@L4@ sport @OWN_PORT@"), "bind_if": ("bind_if eth1", f"oifname eth1 ip saddr {OTHER_LINK}"), "fwmark": ("fwmark 77", "meta mark 77")}
    for kind in (KINDS[name] for name in CONNECTED):
        for keyword, (lines, match) in table.items():
            yield Row(keyword, kind, lines, match=match if kind.protocol != "icmp" or not keyword.endswith("_port") else "icmp type echo-request")


def placed(keyword, kind, level, line, contrary, **more):
    """`line` at its level; what it overrides, one level above."""
    above = {"checker": "virtual_server", "real_server": "virtual_server", "virtual_server": None}[level]
    lines = {"lines": "", "real_server": "", "virtual_server": ""}
    if above:
        lines[above] = contrary
    lines["lines" if level == "checker" else level] += "\n" + line
    for name, text in more.pop("and_above", {}).items():
        lines[name] += "\n" + text
    return Row(keyword, kind, level=level, **lines, **more)


def when_rows():
    """When checks are made. A row says what a default one level above it denies."""
    places = [(KINDS[name], "checker") for name in KINDS] + [(KINDS["TCP_CHECK"], level) for level in ("real_server", "virtual_server")]
    for kind, level in places:
        yield placed("delay_loop often", kind, level, "delay_loop 0.3", f"delay_loop {NEVER}")
        yield placed("delay_loop seldom", kind, level, f"delay_loop {NEVER}", "delay_loop 0.3")
        yield placed("warmup 0", kind, level, "warmup 0", f"warmup {LONGEST}")
        for _ in range(2):
            yield placed("warmup long", kind, level, f"warmup {LONGEST}", "warmup 0")
        limit = "connect_timeout" if kind.protocol else "misc_timeout"
        yield placed(f"{limit} short", kind, level, f"{limit} {'0.3' if kind.protocol else 1}", f"connect_timeout {NEVER}", is_silent=True)
        yield placed(f"{limit} long", kind, level, f"{limit} {NEVER}", "connect_timeout 0.3" if kind.protocol else "delay_loop 0.3", is_silent=True)
        quick = {"and_above": {"virtual_server": "delay_loop 0.3"}}
        at_once = {"and_above": {"virtual_server": "delay_loop 0.3\n delay_before_retry 0.1"}}
        yield placed("retry enough", kind, level, "retry 2", "retry 1", fails=2, **at_once)
        yield placed("retry not enough", kind, level, "retry 2", "retry 30", fails=3, **at_once)
        if kind.name in ("HTTP_GET", "SSL_GET"):
            yield placed("nb_get_retry enough", kind, level, "nb_get_retry 2", "retry 1", fails=2, **at_once)
            yield placed("nb_get_retry not enough", kind, level, "nb_get_retry 2", "retry 30", fails=3, **at_once)
        if level == "checker":
            yield Row("alpha", kind, "alpha", starts_up=True)
        if level == "checker" and kind.protocol:
            yield Row("log_all_failures", kind, "log_all_failures", virtual_server="delay_loop 0.3\n delay_before_retry 0", fails=-1)
            yield Row("not log_all_failures", kind, "log_all_failures off", virtual_server="delay_loop 0.3\n delay_before_retry 0", fails=-1)
        yield placed("delay_before_retry short", kind, level, "delay_before_retry 0.1\n retry 1", f"delay_before_retry {NEVER}", fails=-1, **quick)
        yield placed("delay_before_retry long", kind, level, f"delay_before_retry {NEVER}\n retry 1", "delay_before_retry 0.1", fails=-1, **quick)
