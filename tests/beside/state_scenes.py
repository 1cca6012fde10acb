"""Who is Active, and why."""
import time

from scene import VIP, instance, scenario

LOW, HIGH = dict(priority=50), dict(priority=200)


def stays_backup(scene, seconds):
    """It is not Active now, nor was it in that time."""
    before = len(scene.ear.adverts())
    time.sleep(seconds)
    return not scene.rig.holds() and len(scene.ear.adverts()) == before


@scenario("a higher priority is heard: it yields, and comes back when the other is silent", "priority")
def yields(scene):
    scene.start(instance("priority 150"))
    scene.wait_active()
    other = scene.peer(**HIGH)
    scene.wait_backup()
    scene.note("backup")
    other.silence()
    scene.wait_active()
    scene.note("active again")


@scenario("a lower one is heard at the start: it preempts", "priority")
def preempts(scene):
    scene.peer(**LOW)
    scene.start(instance("priority 150"))
    scene.wait_active()
    scene.note("active")


@scenario("the same with nopreempt: it waits until the other is silent", "nopreempt")
def nopreempt(scene):
    other = scene.peer(**LOW)
    scene.start(instance("priority 150\n nopreempt"))
    scene.note(f"stays backup: {stays_backup(scene, 2)}")
    other.silence()
    scene.wait_active()
    scene.note("active")


@scenario("preempt_delay: not before, but then", "preempt_delay")
def preempt_delay(scene):
    scene.peer(**LOW)
    started = time.monotonic()
    scene.start(instance("priority 150\n preempt_delay 3"))
    scene.wait_active()
    scene.note(f"not before: {time.monotonic() - started > 2.9}")


@scenario("vrrp_startup_delay", "vrrp_startup_delay")
def startup_delay(scene):
    started = time.monotonic()
    scene.start("global_defs {\n vrrp_startup_delay 3\n}\n" + instance("priority 150"))
    scene.wait_active()
    scene.note(f"not before: {time.monotonic() - started > 2.9}")


@scenario("priority 0 is heard: it takes over sooner than after three intervals", "priority")
def stop_heard(scene):
    other = scene.peer(interval=5, **HIGH)
    scene.start(instance("priority 150"))
    scene.note(f"stays backup: {stays_backup(scene, 2)}")
    other.silence()
    silent = time.monotonic()
    scene.peer(interval=5, priority=0).silence()
    scene.wait_active()
    scene.note(f"sooner than three intervals: {time.monotonic() - silent < 15}")


@scenario("adverts of a higher priority with other addresses", "vrrp_skip_check_adv_addr",
          why="keepalived refuses them, and both are Active; to vigil the list is a reason to log, the priority decides (RFC 9568 §7.1)")
def other_addresses(scene):
    scene.start("global_defs {\n vrrp_skip_check_adv_addr\n}\n" + instance("priority 150"))
    scene.wait_active()
    scene.peer(addresses=("192.0.2.77",), **HIGH)
    time.sleep(2)
    scene.note(f"both are active: {scene.rig.holds()}")


@scenario("link down and up", "interface")
def link(scene):
    scene.start(instance("priority 150"))
    scene.wait_active()
    scene.rig.lan.unplug(scene.rig.host)
    scene.wait_backup()
    scene.note("gives its address up")
    scene.rig.lan.unplug(scene.rig.host, out=False)
    scene.wait_active()
    scene.note("active again")


@scenario("dont_track_primary: the link goes down, it stays Active", "dont_track_primary")
def without_primary(scene):
    scene.start(instance("priority 150\n dont_track_primary"))
    scene.wait_active()
    scene.rig.lan.unplug(scene.rig.host)
    time.sleep(1)
    scene.note(f"holds its address: {scene.rig.holds()}")


@scenario("a tracked interface goes down: FAULT, and back", "track_interface", interfaces=("eth0", "eth1"))
def tracked_interface(scene):
    scene.start(instance("priority 150\n track_interface {\n eth1\n }"))
    scene.wait_active()
    scene.rig.ip("link set eth1 down")
    scene.wait_backup()
    scene.note("gives its address up")
    scene.rig.ip("link set eth1 up")
    scene.wait_active()
    scene.note("active again")


@scenario("a tracked interface with a weight", "track_interface", interfaces=("eth0", "eth1"))
def weighted_interface(scene):
    scene.start(instance("priority 150\n track_interface {\n eth1 weight -20\n }"))
    scene.wait_active()
    scene.rig.ip("link set eth1 down")
    scene.wait_priority(130)
    scene.rig.ip("link set eth1 up")
    scene.wait_priority(150)
    scene.note(scene.priorities())


def judged_by(scene, lines, track="chk"):
    """A script that is good while DIR/good exists."""
    good = scene.directory / "good"
    script = scene.script("check", f"test -e {good}")
    return good, (f"global_defs {{\n script_user root\n enable_script_security\n}}\nvrrp_script chk {{\n script {script}\n interval 1\n {lines}\n}}\n"
                  + instance("priority 100\n track_script {\n " + track + "\n }"))


@scenario("a script with a weight fails and succeeds", "script interval weight rise fall track_script script_user enable_script_security")
def weighted_script(scene):
    good, text = judged_by(scene, "weight 20\n rise 2\n fall 2")
    good.touch()
    scene.start(text)
    scene.wait_active()
    scene.wait_priority(120)
    good.unlink()
    scene.wait_priority(100)
    good.touch()
    scene.wait_priority(120)
    scene.note(scene.priorities()[-3:])


@scenario("a script without a weight: FAULT while it fails", "vrrp_script")
def failing_script(scene):
    good, text = judged_by(scene, "rise 1\n fall 1")
    good.touch()
    scene.start(text)
    scene.wait_active()
    good.unlink()
    scene.wait_backup()
    scene.note("gives its address up")
    good.touch()
    scene.wait_active()
    scene.note("active again")


@scenario("init_fail: no election before the script has succeeded", "init_fail")
def init_fail(scene):
    good, text = judged_by(scene, "rise 1\n fall 1\n init_fail")
    scene.start(text)
    scene.note(f"stays away: {stays_backup(scene, 3)}")
    good.touch()
    scene.wait_active()
    scene.note("active")


@scenario("a script that hangs longer than its timeout has failed", "timeout")
def hanging_script(scene):
    hangs = scene.directory / "hangs"
    script = scene.script("check", f"while test -e {hangs}; do sleep 0.1; done")
    scene.start(f"global_defs {{\n script_user root\n}}\nvrrp_script chk {{\n script {script}\n interval 1\n timeout 1\n rise 1\n fall 1\n}}\n"
                + instance("priority 100\n track_script {\n chk\n }"))
    scene.wait_active()
    hangs.touch()
    scene.wait_backup()
    scene.note("gives its address up")
    hangs.unlink()
    scene.wait_active()
    scene.note("active again")


@scenario("the user of a script", "user")
def script_user(scene):
    out = scene.directory / "who"
    out.touch(mode=0o666)
    out.chmod(0o666)
    scene.directory.chmod(0o755)
    script = scene.script("check", f"id -un > {out}")
    scene.start(f"global_defs {{\n script_user root\n}}\nvrrp_script chk {{\n script {script}\n interval 1\n user nobody\n}}\n"
                + instance("priority 100\n track_script {\n chk\n }"))
    scene.wait(lambda: out.read_text().strip(), "the script runs")
    scene.note(out.read_text().strip())


@scenario("a tracked file: its number times the weight", "track_file file")
def tracked_file(scene):
    file = scene.directory / "number"
    file.write_text("0\n", encoding="ascii")
    scene.start(f"track_file f1 {{\n file {file}\n weight 2\n}}\n" + instance("priority 100\n track_file {\n f1\n }"))
    scene.wait_active()
    for number, priority in (("10", 120), ("-5", 90), ("0", 100)):
        file.write_text(number + "\n", encoding="ascii")
        scene.wait_priority(priority)
    scene.note(scene.priorities())


@scenario("the old name of a tracked file", "vrrp_track_file")
def old_tracked_file(scene):
    file = scene.directory / "number"
    file.write_text("7\n", encoding="ascii")
    scene.start(f"vrrp_track_file f1 {{\n file {file}\n}}\n" + instance("priority 100\n track_file {\n f1 weight 1\n }"))
    scene.wait_active()
    scene.wait_priority(107)
    scene.note(scene.priorities()[-1])


@scenario("a sync group: one member fails, the other goes with it", "vrrp_sync_group group", interfaces=("eth0", "eth1"))
def sync_group(scene):
    other = "198.51.100.100"
    scene.rig.ip("address add 198.51.100.1/24 dev eth1")
    scene.start("vrrp_sync_group G1 {\n group {\n VI_1\n VI_2\n }\n}\n" + instance("priority 150")
                + instance("priority 150", name="VI_2", interface="eth1", vrid=52, addresses=(other + "/24",)))
    scene.wait_active()
    scene.wait_active(other)
    scene.rig.lan.unplug(scene.rig.host, interfaces=("eth1",))
    scene.wait_backup(other)
    scene.wait_backup()
    scene.note("both give their addresses up")
    scene.rig.lan.unplug(scene.rig.host, out=False, interfaces=("eth1",))
    scene.wait_active()
    scene.wait_active(other)
    scene.note("both are active again")


@scenario("a tracker of the group", "track_interface track_script", interfaces=("eth0", "eth1"))
def group_tracker(scene):
    scene.start("vrrp_sync_group G1 {\n group {\n VI_1\n }\n track_interface {\n eth1\n }\n}\n" + instance("priority 150"))
    scene.wait_active()
    scene.rig.ip("link set eth1 down")
    scene.wait_backup()
    scene.note("gives its address up")
    scene.rig.ip("link set eth1 up")
    scene.wait_active()
    scene.note("active again")


@scenario("our address is deleted by a person", "",
          why="keepalived gives the instance up and elects anew; vigil puts the address back at once and stays Active (docs/differences.md)")
def deleted_address(scene):
    scene.start(instance("priority 150"))
    scene.wait_active()
    scene.ear.clear()
    scene.rig.ip(f"address del {VIP}/24 dev eth0")
    scene.wait_active()
    time.sleep(0.5)
    scene.note(f"said priority 0: {0 in scene.priorities()}")


@scenario("the same with vrrp_deleted_address step_back, which keepalived ignores: its own way", "vrrp_deleted_address deleted_address")
def deleted_address_step_back(scene):
    scene.start("global_defs {\n vrrp_deleted_address step_back\n}\n" + instance("priority 150"))
    scene.wait_active()
    scene.ear.clear()
    scene.rig.ip(f"address del {VIP}/24 dev eth0")
    scene.wait(lambda: 0 in scene.priorities(), "priority 0")
    scene.wait_active()
    scene.note("steps back with priority 0, then is elected again")


@scenario("vrrp_strict: an authentication and unicast peers are no part of the RFC", "vrrp_strict")
def strict(scene):
    scene.start("global_defs {\n vrrp_strict\n}\nvrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n priority 150\n version 2\n advert_int 1\n"
                " authentication {\n auth_type PASS\n auth_pass 1111\n }\n virtual_ipaddress {\n " + VIP + "\n }\n}\n")
    scene.wait_active()
    scene.wait(lambda: scene.ear.adverts(), "adverts")
    scene.note(f"message {scene.ear.messages()[-1]}")
