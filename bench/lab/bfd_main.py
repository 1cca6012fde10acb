"""The main job of bench/lab/bfd: two daemons with a BFD session, one of which dies over and over, and what the wire says of that.

Both times are the kernel's, from one capture on the switch: of the last BFD packet of the one that died, and of the priority 0 that the other sends because it
tracks the session.
"""
import argparse
import contextlib
import pathlib
import statistics
import struct
import sys
import time

from netlab import sandbox
from netlab.capture import Capture
from netlab.daemon import DaemonError, wait_for
from netlab.keepalived import Keepalived
from netlab.lan import Lan
from netlab.vigild import Vigild
from netlab.workspace import Workspace

BFD_PORT = 3784
SECONDS = 20     # longest wait for a session or a router
REMAINDER = 1    # after the death, for what follows


def read_options():
    parser = argparse.ArgumentParser(prog="bench/lab/bfd", description="See bench/lab/bfd --help")
    parser.add_argument("--daemon", default="vigil,keepalived")
    parser.add_argument("--interval", type=float, default=10, help="milliseconds")
    parser.add_argument("--multiplier", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--keep", action="store_true")
    return parser.parse_args()


def without_only(kind):
    """-P would leave the BFD process out."""
    class WithBfd(kind):
        def _command(self):
            return [word for word in super()._command() if word != "-P"]
    return WithBfd


KINDS = {"vigil": without_only(Vigild), "keepalived": without_only(Keepalived)}


def configuration(options, own, neighbour, has_router):
    text = (f"bfd_instance peer {{\n    neighbor_ip {neighbour}\n    source_ip {own}\n    min_rx {options.interval:g}\n    min_tx {options.interval:g}\n"
            f"    idle_tx 100\n    multiplier {options.multiplier}\n}}\n")
    if has_router:
        text += ("vrrp_instance VI_1 {\n    interface eth0\n    virtual_router_id 51\n    priority 150\n    version 3\n    advert_int 0.1\n"
                 "    track_bfd {\n        peer\n    }\n    virtual_ipaddress {\n        192.0.2.100/24\n    }\n}\n")
    return text


def packets(path):
    """(seconds, source address, UDP destination port or 0, VRRP priority or None) of the IPv4 packets of a capture."""
    data = path.read_bytes()
    at = 24
    while at + 16 <= len(data):
        seconds, micros, kept, _ = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16:at + 16 + kept]
        at += 16 + kept
        if len(frame) < 34 or frame[12:14] != b"\x08\x00":
            continue
        header = 4 * (frame[14] & 15)
        source, protocol, body = frame[26:30], frame[23], frame[14 + header:]
        port = struct.unpack_from(">H", body, 2)[0] if protocol == 17 and len(body) >= 4 else 0
        yield seconds + micros / 1e6, ".".join(map(str, source)), port, body[2] if protocol == 112 and len(body) > 2 else None


def detection(path, dead, survivor):
    """Seconds from the last BFD packet of `dead` to the first priority 0 of `survivor`."""
    last, goodbye = None, None
    for when, source, port, priority in packets(path):
        if source == dead and port == BFD_PORT:
            last = when
        if source == survivor and priority == 0 and goodbye is None:
            goodbye = when
    if last is None or goodbye is None:
        raise DaemonError("no BFD packet was captured" if last is None else "nothing was said of the death")
    return goodbye - last


def measure(kind, options, directory):
    """Detection times, one of each round."""
    with contextlib.closing(Lan(router_count=2)) as lan:
        hosts = lan.routers
        own = ["192.0.2.1", "192.0.2.2"]
        paths = [directory / f"{kind.kind}-{number}.conf" for number in (1, 2)]
        for number, path in enumerate(paths):
            path.write_text(configuration(options, own[number], own[1 - number], has_router=number == 0), encoding="ascii")
        with contextlib.ExitStack() as stack:
            first, second = (kind(host, directory, configuration=path) for host, path in zip(hosts, paths))
            first.start()
            stack.callback(lambda: first.running and first.kill())
            times = []
            for number in range(options.rounds):
                times.append(one_round(first, second, lan, own, directory / f"{kind.kind}-{number}.pcap", stack))
            return times


def one_round(first, second, lan, own, path, stack):
    second.start()
    stack.callback(lambda: second.running and second.kill())
    held = lambda: any(str(one.ip) == "192.0.2.100" for one in first.host.table.addresses())
    wait_for(held, SECONDS, "the session is up and the router Active")
    time.sleep(REMAINDER)
    capture = Capture(path, "udp port 3784 or ip proto 112")
    capture.start(lan)
    time.sleep(REMAINDER)
    second.kill()
    wait_for(lambda: not held(), SECONDS, "the router has stepped back")
    time.sleep(REMAINDER)
    capture.stop()
    return detection(path, own[1], own[0])


def main():
    options = read_options()
    reason = sandbox.why_not() or Capture.why_not()
    kinds = [KINDS[name] for name in options.daemon.split(",")]
    for kind in kinds:
        reason = reason or kind.why_not()
    if reason:
        print(f"bfd: {reason}", file=sys.stderr)
        return sandbox.SKIPPED
    sandbox.enter()
    workspace = Workspace("vigil-bfd-")
    status = 0
    print(f"BFD every {options.interval:g} ms, {options.multiplier} missing are a death: {options.interval * options.multiplier:g} ms; "
          f"from the last packet of the one that died to the priority 0 of the router that tracks it, {options.rounds} times")
    for name, kind in zip(options.daemon.split(","), kinds):
        try:
            times = sorted(1e3 * value for value in measure(kind, options, workspace.path))
            print(f"{name:<12} least {times[0]:.1f} ms, median {statistics.median(times):.1f} ms, most {times[-1]:.1f} ms", flush=True)
        except DaemonError as error:
            print(f"{name:<12} {error}", flush=True)
            status = 1
    workspace.finish(options.keep)
    return status


if __name__ == "__main__":
    sys.exit(main())
