"""The cases. Each is a function (rig) -> (what the daemon said, what it did) that raises when that is not as expected."""
import dataclasses
import os
import pathlib
import re
import shutil
import signal
import subprocess
import typing

from rig import PATIENCE, VIP, Neighbour, Rig, advert, instance, wait_for
from netlab.vigild import Vigild

CASES = []


@dataclasses.dataclass(frozen=True)
class Case:
    kind: str
    title: str
    text: str
    act: typing.Callable
    options: tuple = ()

    def play(self, directory):
        # A name without words of the case, because the log quotes it.
        rig = Rig(pathlib.Path(directory) / f"case-{CASES.index(self)}", self.text, options=self.options)
        try:
            return self.act(rig)
        finally:
            rig.close()


def case(kind, title, text=None, options=()):
    def add(act):
        CASES.append(Case(kind, title, instance() if text is None else text, act, options))
        return act
    return add


def expect(condition, words):
    if not condition:
        raise AssertionError(words)


def refused(rig, code, *words, command=None):
    """It ends at once with this exit code and says this."""
    got = rig.run(command)
    expect(got == code, f"exit code {got}, not {code}: {rig.lines()}")
    return [rig.wait_for_line(one) for one in words], f"exit code {code}, nothing started"


# --- options ---

OPTIONS = "Options and rights"


@case(OPTIONS, "`vigild --dont-frok`")
def unknown_long(rig):
    return refused(rig, 1, "unknown option", command=[Vigild.program(), "--dont-frok"])


@case(OPTIONS, "`vigild -Z`")
def unknown_short(rig):
    return refused(rig, 1, "unknown option", command=[Vigild.program(), "-Z"])


@case(OPTIONS, "`vigild -f` without a file name")
def no_argument(rig):
    return refused(rig, 1, "needs an argument", command=[Vigild.program(), "-f"])


@case(OPTIONS, "`vigild keepalived.conf` (forgot -f)")
def positional(rig):
    return refused(rig, 1, "unexpected argument", command=[Vigild.program(), "keepalived.conf"])


@case(OPTIONS, "`--backend=dpdk`")
def bad_backend(rig):
    return refused(rig, 1, "expected auto, uring or epoll", command=[*rig.command(), "--backend=dpdk"])


@case(OPTIONS, "`--perf`, which keepalived has", options=("--perf",))
def not_acted_on(rig):
    rig.start()
    rig.wait_holds()
    return [rig.wait_for_line("not yet acted on")], "runs"


@case(OPTIONS, "no CAP_NET_ADMIN")
def no_net_admin(rig):
    return refused(rig, 4, "this process lacks", command=["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin", *rig.command()])


@case(OPTIONS, "an ordinary user")
def no_rights(rig):
    for one in (rig.configuration, rig.directory):
        one.chmod(0o755)
    program = shutil.copy(Vigild.program(), rig.directory / "vigild")
    return refused(rig, 4, "this process lacks", command=["setpriv", "--reuid=65534", "--clear-groups", program, *rig.command()[1:]])


@case(OPTIONS, "a second vigild with the same pid file")
def second_daemon(rig):
    rig.start()
    rig.wait_holds()
    first = rig.process
    second = rig.host.namespace.popen(rig.command(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    output = second.communicate(timeout=PATIENCE)[0]
    expect(second.returncode == 1, f"exit code {second.returncode}, not 1: {output}")
    line = next(one for one in output.splitlines() if "already running" in one)
    expect(first.poll() is None and rig.holds(), "the first one suffered")
    return [line.split(": ", 1)[1]], "exit code 1; the first goes on"


@case(OPTIONS, "a pid file in a directory that does not exist", options=("-p", "/no/such/directory/x.pid"))
def pid_directory(rig):
    command = [word for word in rig.command()]
    place = len(command) - 1 - command[::-1].index("-p")    # the rig's own -p comes last and would win
    del command[place:place + 2]
    return refused(rig, 1, "cannot open pid file", command=command)


@case(OPTIONS, "a network namespace that does not exist", options=("-s", "nowhere"))
def no_namespace(rig):
    return refused(rig, 1, "cannot open network namespace")


# --- files ---

FILES = "Configuration files"


@case(FILES, "no file")
def no_file(rig):
    rig.configuration.unlink()
    return refused(rig, 6, "keepalived.conf: error")


@case(FILES, "an empty file", text="")
def empty(rig):
    rig.start()
    line = rig.wait_for_line("no usable vrrp_instance")
    rig.configuration.write_text(instance())
    rig.signal(signal.SIGHUP)
    rig.wait_holds()
    return [line], "waits; runs after a file with an instance and SIGHUP"


@case(FILES, "binary rubbish", text="")
def rubbish(rig):
    rig.configuration.write_bytes(bytes(range(256)) * 40)
    rig.start()
    return [rig.wait_for_line("error"), rig.wait_for_line("no usable vrrp_instance")], "waits for a reload; control characters are not passed on to the log"


def complains(title, text, *words, holds=True):
    @case(FILES, title, text=text)
    def act(rig):
        rig.start()
        if holds:
            rig.wait_holds()
        else:
            rig.wait_for_line("no usable vrrp_instance")
        return [rig.wait_for_line(one) for one in words], f"{VIP} is set all the same" if holds else "the instance does not run"


complains("a misspelt keyword, `preemtp_delay 300`", instance("preemtp_delay 300"), "did you mean")
complains("an unknown block, `vrrp_sync_groups G { ... }`", "vrrp_sync_groups G {\n    group {\n        VI_1\n    }\n}\n" + instance(), "vrrp_sync_groups")
complains("a missing `}` at the end", instance().rstrip().removesuffix("}"), "error")
complains("`virtual_router_id 256`", instance(vrid=256), "256", holds=False)
complains("`priority 999`", instance("priority 999"), "priority")
complains("an address that is none, `192.0.2.300`", instance(addresses=(VIP + "/24", "192.0.2.300")), "192.0.2.300")
complains("both families in virtual_ipaddress", instance(addresses=(VIP + "/24", "2001:db8::100/64")), "all IPv4 or all IPv6")
complains("a password of 11 octets", instance("authentication {\n auth_type PASS\n auth_pass verylongone\n }").replace("version 3", "version 2").replace("0.1", "1"),
          "auth_pass")
complains("authentication in version 3", instance("authentication {\n auth_type PASS\n auth_pass x\n }"), "auth")
complains("`virtual_router_id 51` twice on eth0", instance() + instance(name="VI_2", addresses=("192.0.2.102/24",)), "VI_2")
complains("`interface lo`", instance(interface="lo"), "lo", holds=False)
complains("a notify script that does not exist", instance('notify "/no/such/script"'), "/no/such/script")


@case(FILES, "a notify script that anybody can change, with enable_script_security", text="")
def insecure(rig):
    script = rig.directory / "notify"
    script.write_text(f"#!/bin/sh\ntouch {rig.directory}/ran\n")
    script.chmod(0o777)
    rig.configuration.write_text("global_defs {\n    enable_script_security\n}\n" + instance(f'notify "{script}"'))
    rig.start()
    rig.wait_holds()
    rig.stop()
    expect(not (rig.directory / "ran").exists(), "the script ran")
    return [rig.wait_for_line("others than root can change")], f"{VIP} is set; the script was not run"


@case(FILES, "SIGHUP with a file that has errors")
def bad_reload(rig):
    rig.start()
    rig.wait_holds()
    rig.mark()
    rig.configuration.write_text("vrrp_instance VI_1 {\n    nonsense 1\n}\n")
    rig.signal(signal.SIGHUP)
    lines = [rig.wait_for_line("nonsense"), rig.wait_for_line("keeping the configuration that runs")]
    expect(rig.holds() and not rig.find("STATE"), "something changed")
    return lines, "nothing changed"


@case(FILES, "SIGHUP after the file was removed")
def removed_reload(rig):
    rig.start()
    rig.wait_holds()
    rig.mark()
    rig.configuration.unlink()
    rig.signal(signal.SIGHUP)
    line = rig.wait_for_line("keeping the configuration that runs")
    expect(rig.holds(), "the address went")
    return [line], "nothing changed"


# --- frames ---

FRAMES = "Frames"


def dump(rig):
    """The state dump as text, written anew."""
    path = rig.directory / "keepalived.data"
    path.unlink(missing_ok=True)
    rig.signal(signal.SIGUSR1)
    wait_for(path.exists, PATIENCE, "the state dump is written")
    return path.read_text()


def send_to_master(rig, *frames):
    """Starts it, and sends from the LAN when it is MASTER."""
    rig.start()
    rig.wait_holds()
    rig.wait_for_line("Entering MASTER STATE")
    neighbour = Neighbour(rig)
    rig.mark()
    neighbour.send(*frames)
    neighbour.close()


def refused_frame(title, counter, frame, words=None, text=None):
    @case(FRAMES, title, text=text)
    def act(rig):
        send_to_master(rig, frame)
        found = {}

        def counted():
            found.update(re.findall(r"^   (\w+) = (\d+)$", dump(rig), re.MULTILINE))
            return found.get(counter) == "1"
        wait_for(counted, PATIENCE, f"the counter {counter} is 1 ({found})")
        expect(rig.holds() and not rig.find("Entering"), "the state changed")
        return [rig.wait_for_line(words)] if words else [], f"counted as `{counter}`; stays MASTER"


def junk_frame(title, reason, frame):
    """What cannot be a good advert: the kernel refuses it before it takes a place in the ring, and counts."""
    @case(FRAMES, title)
    def act(rig):
        send_to_master(rig, frame)
        text = ""

        def counted():
            nonlocal text
            text = dump(rig)
            return re.search(rf"^   eth0 = .*, 1 of junk.*{reason}", text, re.MULTILINE)
        wait_for(counted, PATIENCE, f"one frame of junk, {reason}, is counted ({text})")
        expect(rig.holds() and not rig.find("Entering"), "the state changed")
        return [], f"refused in the kernel, counted as junk (`{reason}`); stays MASTER"


VERSION_2 = instance().replace("version 3", "version 2").replace("0.1", "1")
PASSWORD = instance("authentication {\n auth_type PASS\n auth_pass secret\n }").replace("version 3", "version 2").replace("0.1", "1")
HIGHER = {"priority": 200}

refused_frame("priority 200, wrong checksum", "bad_checksum", advert(**HIGHER, checksum=0x1234))
junk_frame("priority 200, TTL 64 (came over a router)", "bad_ttl", advert(**HIGHER, ttl=64))
refused_frame("priority 200, cut in the middle of its address", "truncated", advert(**HIGHER, cut=2))
refused_frame("priority 200, address count 200 in a message of 12 octets", "truncated", advert(**HIGHER, count=200))
refused_frame("priority 200, address count 0", "no_addresses", advert(**HIGHER, addresses=()))
junk_frame("priority 200, type 2", "bad_type", advert(**HIGHER, kind=2))
junk_frame("priority 200, VRRP version 7", "bad_version", advert(**HIGHER, version=7))
junk_frame("priority 200, VRID 0", "zero_vrid", advert(**HIGHER, vrid=0))
junk_frame("priority 200, VRID 99 (not ours)", "unknown_vrid", advert(**HIGHER, vrid=99))
refused_frame("priority 200, interval 0", "zero_interval", advert(**HIGHER, interval=0))
refused_frame("priority 200, from our own address", "own_source", advert(**HIGHER, source="192.0.2.1"), "our own source address")
refused_frame("priority 200, version 2 to a version 3 router", "version_mismatch", advert(**HIGHER, version=2, interval=1), "another VRRP version")
refused_frame("priority 200, another advert_int in version 2", "interval_mismatch", advert(**HIGHER, version=2, interval=5), "another advert_int",
              text=VERSION_2)
refused_frame("priority 200, without the password", "auth_type_mismatch", advert(**HIGHER, version=2, interval=1), "auth_type", text=PASSWORD)
refused_frame("priority 200, wrong password", "auth_failed", advert(**HIGHER, version=2, interval=1, auth=b"guess"), "wrong authentication",
              text=PASSWORD)


@case(FRAMES, "1,000 adverts with a wrong password in a burst", text=PASSWORD)
def burst(rig):
    send_to_master(rig, *[advert(version=2, interval=1, auth=b"guess", **HIGHER)] * 1000)
    wait_for(lambda: "auth_failed" in dump(rig), PATIENCE, "they are counted")
    said = rig.find("wrong authentication")
    expect(1 <= len(said) <= 5, f"{len(said)} lines for 1,000 frames")
    expect(rig.holds(), "the address went")
    return [said[0]], "at most 5 lines in 10 s, then a count; stays MASTER"


# --- the host ---

HOST = "The host"


@case(HOST, "`interface lan7`, which does not exist", text=instance() + instance(name="VI_2", interface="lan7", vrid=52, addresses=("192.0.2.102/24",)))
def missing_interface(rig):
    rig.start()
    lines = [rig.wait_for_line("there is no interface 'lan7'"), rig.wait_for_line("(VI_2) Entering FAULT STATE")]
    rig.wait_holds()
    rig.ip("link add lan7 type veth peer name lan7-peer", "address add 192.0.2.7/24 dev lan7", "link set lan7-peer up", "link set lan7 up")
    lines.append(rig.wait_for_line("(VI_2) Entering MASTER STATE"))
    return lines, "the other instance runs; this one joins when the interface appears"


@case(HOST, "interface deleted while MASTER, and made again", text=instance(interface="lan7"))
def deleted_interface(rig):
    add = ("link add lan7 type veth peer name lan7-peer", "address add 192.0.2.7/24 dev lan7", "link set lan7-peer up", "link set lan7 up")
    rig.ip(*add)
    rig.start()
    rig.wait_holds()
    rig.mark()
    rig.ip("link delete lan7")
    lines = [rig.wait_for_line("deleted"), rig.wait_for_line("Entering FAULT STATE")]
    rig.ip(*add)
    rig.wait_for_line("Entering MASTER STATE")
    rig.wait_holds()
    return lines, "FAULT, then MASTER again on the new interface"


@case(HOST, "interface without an address")
def no_source(rig):
    rig.ip("address delete 192.0.2.1/24 dev eth0")
    rig.start()
    line = rig.wait_for_line("no IPv4 address to send from")
    rig.wait_for_line("Entering FAULT STATE")
    rig.ip("address add 192.0.2.1/24 dev eth0")
    rig.wait_holds()
    return [line], "FAULT until it has one, then MASTER"


@case(HOST, "the virtual address is there already")
def already_there(rig):
    rig.ip(f"address add {VIP}/24 dev eth0")
    rig.start()
    line = rig.wait_for_line("Removing address")
    rig.wait_for_line("Entering MASTER STATE")
    rig.wait_holds()
    return [line], "removed, and set again when elected"


@case(HOST, "somebody deletes the virtual address of a MASTER")
def deleted_address(rig):
    rig.start()
    rig.wait_holds()
    rig.mark()
    rig.ip(f"address delete {VIP}/24 dev eth0")
    lines = [rig.wait_for_line("somebody deleted")]
    rig.wait_holds()
    expect(not rig.find("STATE"), "it changed its state")
    return lines, "set again at once; stays MASTER"


@case(HOST, "netlink refuses an address (IPv6 is disabled)",
      text=instance().replace("virtual_ipaddress {", "virtual_ipaddress_excluded {\n 2001:db8::100/64\n }\n virtual_ipaddress {"))
def refused_address(rig):
    rig.host.namespace.sysctl("net.ipv6.conf.eth0.disable_ipv6", 1)
    rig.start()
    line = rig.wait_for_line("cannot set address")
    expect(rig.holds(), "the other address is not set")
    rig.host.namespace.sysctl("net.ipv6.conf.eth0.disable_ipv6", 0)
    return [line, rig.wait_for_line("is set now")], "the other address is set; tried again until the kernel took it"


@case(HOST, "an address for a device that does not exist", text=instance(addresses=(VIP + "/24", "192.0.2.101/24 dev lan7")))
def missing_device(rig):
    rig.start()
    lines = [rig.wait_for_line("there is no interface 'lan7' for address"), rig.wait_for_line("Entering FAULT STATE")]
    rig.ip("link add lan7 type veth peer name lan7-peer", "link set lan7-peer up", "link set lan7 up")
    rig.wait_holds("192.0.2.101")
    return lines, "in FAULT, as an address with a dead leg is of no use; MASTER when the device is there (`no_track` lets it run without)"


@case(HOST, "the name of the virtual MAC device is taken", text=instance("use_vmac eth0"))
def taken_name(rig):
    rig.start()
    rig.wait_holds()
    return [rig.wait_for_line("File exists (17): name 'eth0'")], "the device has the name that it would have without one"


@case(HOST, "kill -9 of the VRRP process")
def killed_child(rig):
    rig.start()
    rig.wait_holds()
    rig.mark()
    os.kill(rig.child(), signal.SIGKILL)
    lines = [rig.wait_for_line("starting it again"), rig.wait_for_line("left by an earlier run")]
    rig.wait_for_line("Entering MASTER STATE")
    return lines, "started again; leftovers removed; elected again"


@case(HOST, "kill -9 of all processes, then a start")
def killed_all(rig):
    rig.start()
    rig.wait_holds()
    rig.kill_all()
    expect(rig.holds(), "the address was not left")
    rig.start()
    line = rig.wait_for_line("left by an earlier run")
    rig.wait_for_line("Entering MASTER STATE")
    return [line], "leftovers removed; elected again"


@case(HOST, "the state dump's name is a link to another file")
def planted_link(rig):
    victim = rig.directory / "victim"
    victim.write_text("precious")
    (rig.directory / "keepalived.data").symlink_to(victim)
    rig.start()
    rig.wait_holds()
    rig.signal(signal.SIGUSR1)
    line = rig.wait_for_line("Wrote")
    expect(victim.read_text() == "precious", "the link was followed")
    return [line], "the link is replaced, the other file untouched"


@case(HOST, "the state dump's directory cannot be written")
def no_dump(rig):
    rig.start(["env", "TMPDIR=/no/such/directory", *rig.command()])
    rig.wait_holds()
    rig.signal(signal.SIGUSR1)
    line = rig.wait_for_line("cannot create")
    expect(rig.holds(), "the address went")
    return [line], "goes on"

