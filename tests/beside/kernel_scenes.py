"""What is in the kernel."""
import subprocess

from scene import VIP, instance, scenario

NO_EVENTS = "its tracking of processes needs the kernel's process connector, which is silent in namespaces; vigil looks at /proc there"


@scenario("addresses with their words", "virtual_ipaddress virtual_ipaddress_excluded", interfaces=("eth0", "eth1"))
def addresses(scene):
    words = (VIP + "/24 label eth0:vip", "192.0.2.101", "192.0.2.102/24 brd 192.0.2.255 scope link", "192.0.2.103/25 brd +", "192.0.2.104/32 no_track")
    scene.start(instance("priority 150\n virtual_ipaddress_excluded {\n 203.0.113.1/30 dev eth1\n 2001:db8::77/64 nodad\n }", addresses=words))
    scene.wait_active()
    scene.wait_active("2001:db8::77")
    for device in ("eth0", "eth1"):
        for line in scene.settles(lambda device=device: scene.addresses(device)):
            scene.note(f"{device}: {line}")
    scene.rig.stop()
    scene.note(f"afterwards: {scene.addresses() + scene.addresses('eth1')}")


def running(scene, name):
    """A process of that name, until it is ended."""
    program = scene.directory / name
    if not program.exists():
        program.write_bytes(open("/bin/sleep", "rb").read())
        program.chmod(0o755)
    return scene.rig.host.namespace.popen([str(program), "600"], stdin=subprocess.DEVNULL)


@scenario("a tracked process: FAULT without it", "vrrp_track_process process track_process", why_alone=NO_EVENTS)
def tracked_process(scene):
    one = running(scene, "beside_one")
    scene.start("vrrp_track_process p {\n process beside_one\n}\n" + instance("priority 150\n track_process {\n p\n }"))
    scene.wait_active()
    one.kill()
    one.wait()
    scene.wait_backup()
    scene.note("gives its address up")
    one = running(scene, "beside_one")
    scene.wait_active()
    scene.note("active again")
    one.kill()
    one.wait()


@scenario("quorum and weight of a tracked process", "quorum weight", why_alone=NO_EVENTS)
def process_quorum(scene):
    both = [running(scene, "beside_two") for _ in range(2)]
    scene.start("vrrp_track_process p {\n process beside_two\n quorum 2\n weight 30\n}\n" + instance("priority 100\n track_process {\n p\n }"))
    scene.wait_active()
    scene.wait_priority(130)
    both[0].kill()
    both[0].wait()
    scene.wait_priority(100)
    scene.note(scene.priorities()[-2:])
    both[1].kill()
    both[1].wait()


@scenario("full_command: arguments count", "full_command", why_alone=NO_EVENTS)
def process_command(scene):
    one = running(scene, "beside_three")
    command = f"{scene.directory}/beside_three"
    scene.start(f'vrrp_track_process p {{\n process "{command}" 601\n full_command\n weight 30\n}}\nvrrp_track_process q {{\n process "{command}" 600\n'
                " full_command\n weight 10\n}\n" + instance("priority 100\n track_process {\n p\n q\n }"))
    scene.wait_active()
    scene.wait_priority(110)
    scene.note(scene.priorities()[-1])
    one.kill()
    one.wait()
