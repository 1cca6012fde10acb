"""Cases about scripts and files that instances track; see cases.py."""
import os
import time

from cases import case, expect
from netlab.daemon import descendants, is_alive
from rig import PATIENCE, VIP, instance, wait_for

TRACKED = "What is tracked"
TRACKS_SCRIPT = instance("track_script {\n chk\n }")


def script(rig, text, mode=0o755, lines="", name="check"):
    """Writes a script and the configuration that tracks it without a weight."""
    path = rig.directory / name
    path.write_text(text)
    path.chmod(mode)
    rig.configuration.write_text(f"vrrp_script chk {{\n    script {path}\n    interval 0.2\n    timeout 0.5\n    {lines}\n}}\n" + TRACKS_SCRIPT)


@case(TRACKED, "a track script that hangs, and what it has started too", text="")
def hanging(rig):
    script(rig, f"#!/bin/sh\nsleep 1000 & echo $! >{rig.directory}/child\nwait\n")
    rig.start()
    lines = [rig.wait_for_line("VRRP_Script(chk) timed_out"), rig.wait_for_line("(VI_1) held in FAULT: track script chk fails")]
    child = int((rig.directory / "child").read_text())
    wait_for(lambda: not is_alive(child), PATIENCE, "the child is dead")
    return lines, "both processes are ended; FAULT until a run succeeds"


@case(TRACKED, "a track script that hangs and ignores SIGTERM", text="")
def stubborn(rig):
    script(rig, f"#!/bin/sh\ntrap '' TERM\necho $$ >{rig.directory}/pid\nwhile :; do sleep 1; done\n")
    rig.start()
    line = rig.wait_for_line("VRRP_Script(chk) timed_out")
    rig.wait_for_line("(VI_1) held in FAULT")
    pid = int((rig.directory / "pid").read_text())
    wait_for(lambda: not is_alive(pid), PATIENCE, "the script is dead")
    return [line], "killed two seconds after its timeout; FAULT"


@case(TRACKED, "300 track scripts that hang", text="")
def many_hanging(rig):
    path = rig.directory / "check"
    path.write_text("#!/bin/sh\nexec sleep 1000\n")
    path.chmod(0o755)
    names = [f"chk{i}" for i in range(300)]
    rig.configuration.write_text("".join(f"vrrp_script {name} {{\n    script {path}\n    timeout 3\n    weight -1\n}}\n" for name in names)
                                 + instance("track_script {\n" + "\n".join(names) + "\n }"))
    rig.start()
    rig.wait_holds()
    most = 0

    def all_have_failed():
        nonlocal most
        most = max(most, len([pid for pid in descendants([rig.child()]) if pid != rig.child()]))
        return len(rig.find("timed_out")) == 300
    wait_for(all_have_failed, 4 * PATIENCE, "all scripts have timed out")
    expect(most <= 128, f"{most} at a time")
    expect(rig.holds(), "the address went")
    return [rig.wait_for_line("VRRP_Script(chk0) timed_out"), rig.wait_for_line("(VI_1) Changing effective priority")], "at most 128 at a time; stays MASTER"


@case(TRACKED, "a track script that does not exist", text="vrrp_script chk {\n    script /no/such/script\n}\n" + TRACKS_SCRIPT)
def missing(rig):
    rig.start()
    rig.wait_holds()
    return [rig.wait_for_line("there is no '/no/such/script'")], f"not tracked; {VIP} is set"


@case(TRACKED, "a track script that is not executable", text="")
def plain(rig):
    script(rig, "#!/bin/sh\nexit 1\n", mode=0o644)
    rig.start()
    rig.wait_holds()
    return [rig.wait_for_line("is not executable")], f"not tracked; {VIP} is set"


@case(TRACKED, "a track script that anybody can change, with enable_script_security", text="")
def insecure(rig):
    script(rig, f"#!/bin/sh\ntouch {rig.directory}/ran\nexit 1\n", mode=0o777)
    rig.configuration.write_text("global_defs {\n    enable_script_security\n}\n" + rig.configuration.read_text())
    rig.start()
    rig.wait_holds()
    expect(not (rig.directory / "ran").exists(), "the script ran")
    return [rig.wait_for_line("others than root can change")], f"not run and not tracked; {VIP} is set"


@case(TRACKED, "a track script that is no program (`#!` is missing)", text="")
def no_program(rig):
    script(rig, "exit 0\n")
    rig.start()
    return [rig.wait_for_line("VRRP_Script(chk) failed"), rig.wait_for_line("(VI_1) Entering FAULT STATE")], "counts as failed"


@case(TRACKED, "a track script that is deleted while it is tracked", text="")
def deleted(rig):
    script(rig, "#!/bin/sh\nexit 0\n")
    rig.start()
    rig.wait_holds()
    (rig.directory / "check").unlink()
    return [rig.wait_for_line("VRRP_Script(chk) failed"), rig.wait_for_line("(VI_1) Entering FAULT STATE")], "counts as failed"


@case(TRACKED, "a track_script that no vrrp_script defines", text="vrrp_script check_nginx {\n    script /bin/true\n}\n" + instance("track_script {\n check_ngnix\n }"))
def undefined(rig):
    rig.start()
    rig.wait_holds()
    return [rig.wait_for_line("there is no vrrp_script 'check_ngnix'")], f"not tracked; {VIP} is set"


def file_case(title, words, did, content=None, make=None):
    @case(TRACKED, title, text="")
    def act(rig):
        path = rig.directory / "value"
        if content is not None:
            path.write_bytes(content)
        else:
            make(path)
        rig.configuration.write_text(f"track_file number {{\n    file {path}\n}}\n" + instance("track_file {\n number\n }"))
        rig.start()
        rig.wait_holds()
        expect(not rig.find("Changing effective priority"), "it counted as something")
        line = rig.wait_for_line(words)
        if content is not None:
            for _ in range(10):
                path.write_bytes(content + b"more\n")
                time.sleep(0.02)   # one of them will be read before the next
            path.write_bytes(b"5\n")
            rig.wait_for_line("value changed from 0 to 5")
            expect(len(rig.find(words)) == 1, f"told {len(rig.find(words))} times")
        return [line], did


file_case("a track_file with a word in it", "does not begin with a number", "counts as 0, told once", content=b"drained\n")
file_case("a track_file with 10 MB of rubbish", "does not begin with a number", "counts as 0, told once", content=b"x" + os.urandom(10 << 20))
file_case("a track_file that is a FIFO nobody writes to", "is not a regular file", "not opened; counts as 0", make=lambda path: os.mkfifo(path))
file_case("a track_file that is a link to itself", "cannot be read", "counts as 0", make=lambda path: path.symlink_to(path))
