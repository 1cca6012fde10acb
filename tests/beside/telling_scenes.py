"""What scripts, FIFOs and mails are told."""
import os
import re
import sys
import pathlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "engine" / "daemon"))
from mail_server import MailServer  # noqa: E402
from scene import VIP, instance, scenario  # noqa: E402

OTHER = "198.51.100.100"


def live(scene, wait_for_words):
    """Active, FAULT, Active, stopped."""
    scene.wait_active()
    wait_for_words("MASTER", 1)
    scene.rig.lan.unplug(scene.rig.host)
    scene.wait_backup()
    wait_for_words("FAULT", 1)
    scene.rig.lan.unplug(scene.rig.host, out=False)
    scene.wait_active()
    wait_for_words("MASTER", 2)
    scene.rig.stop()
    wait_for_words("STOP", 1)


@scenario("arguments and order of `notify`", "notify")
def notify(scene):
    script, told = scene.recorder()
    scene.start("global_defs {\n script_user root\n}\n" + instance(f"priority 150\n notify {script}"))
    live(scene, lambda word, count: scene.wait(lambda: sum(word in line for line in told()) >= count, f"{word} {count} times in {told()}"))
    for line in told():
        scene.note(line)


@scenario("`notify_master` and its kind: which, when", "notify_master notify_backup notify_fault notify_stop")
def notify_kinds(scene):
    script, told = scene.recorder()
    lines = "\n".join(f'notify_{name} "{script} {name.upper()} \'two words\'"' for name in ("master", "backup", "fault", "stop"))
    scene.start("global_defs {\n script_user root\n}\n" + instance(f"priority 150\n {lines}"))
    live(scene, lambda word, count: scene.wait(lambda: sum(word in line for line in told()) >= count, f"{word} {count} times in {told()}"))
    for line in told():
        scene.note(line)


@scenario("scripts of a sync group", "notify notify_master notify_backup notify_fault notify_stop", interfaces=("eth0", "eth1"))
def group_notify(scene):
    script, told = scene.recorder()
    scene.rig.ip("address add 198.51.100.1/24 dev eth1")
    lines = "\n".join(f' notify_{name} "{script} {name.upper()}"' for name in ("master", "backup", "fault", "stop"))
    scene.start("global_defs {\n script_user root\n}\nvrrp_sync_group G1 {\n group {\n VI_1\n VI_2\n }\n" + f" notify {script}\n{lines}\n}}\n"
                + instance("priority 150") + instance("priority 150", name="VI_2", interface="eth1", vrid=52, addresses=(OTHER + "/24",)))
    scene.wait_active(OTHER)
    live(scene, lambda word, count: scene.wait(lambda: sum(line == word for line in told()) >= count, f"{word} {count} times in {told()}"))
    for line in sorted(set(told())):
        scene.note(line)


def follow(scene, fifo):
    """Lines of a FIFO as they come."""
    os.mkfifo(fifo)
    descriptor = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    text = bytearray()

    def lines():
        try:
            while more := os.read(descriptor, 65536):
                text.extend(more)
        except BlockingIOError:
            pass
        return text.decode().splitlines()
    return lines


@scenario("lines of the FIFO, an instance in a sync group", "notify_fifo")
def fifo(scene):
    path = scene.directory / "fifo"
    lines = follow(scene, path)
    scene.start(f"global_defs {{\n notify_fifo {path}\n}}\nvrrp_sync_group G1 {{\n group {{\n VI_1\n }}\n}}\n" + instance("priority 150"))
    live(scene, lambda word, count: scene.wait(lambda: sum(f'INSTANCE "VI_1" {word}' in line for line in lines()) >= count, f"{word} {count} times in {lines()}"))
    for line in lines():
        if line.startswith("INSTANCE"):
            scene.note(line)
    scene.note([line for line in lines() if line.startswith("GROUP")])


@scenario("lines of vrrp_notify_fifo", "vrrp_notify_fifo")
def vrrp_fifo(scene):
    path = scene.directory / "fifo"
    lines = follow(scene, path)
    scene.start(f"global_defs {{\n vrrp_notify_fifo {path}\n}}\n" + instance("priority 150"))
    live(scene, lambda word, count: scene.wait(lambda: sum(word in line for line in lines()) >= count, f"{word} {count} times in {lines()}"))
    for line in lines():
        scene.note(line)


@scenario("the reader of a FIFO: its last argument, and that it ends with the daemon", "notify_fifo_script vrrp_notify_fifo_script")
def fifo_reader(scene):
    out = scene.directory / "read"
    script = scene.script("reader", f'echo "$@" > {out}\nfor last; do :; done\nexec cat "$last" >> {out}')
    for keyword in ("notify_fifo", "vrrp_notify_fifo"):
        path = scene.directory / keyword
        scene.start(f"global_defs {{\n script_user root\n {keyword} {path}\n {keyword}_script {script}\n}}\n" + instance("priority 150"))
        scene.wait_active()
        scene.wait(lambda: out.exists() and "MASTER" in out.read_text(), "MASTER is read")
        scene.rig.stop()
        for line in out.read_text().splitlines():
            if "STOP" not in line:   # keepalived ends the reader at the same time, which may read it or not
                scene.note(line)
        out.unlink()


@scenario("mails: envelope, subject and headers", "router_id notification_email notification_email_from smtp_server smtp_helo_name smtp_connect_timeout smtp_alert")
def mail(scene):
    server = MailServer(scene.rig.host)
    scene._close.callback(server.close)
    scene.start("global_defs {\n router_id LVS_1\n notification_email {\n a@example.org\n b@example.org\n }\n notification_email_from vrrp@example.org\n"
                " smtp_server 127.0.0.1 2525\n smtp_helo_name gw1.example.org\n smtp_connect_timeout 5\n}\n" + instance("priority 150\n smtp_alert"))
    scene.wait_active()
    scene.wait(lambda: any("MASTER" in subject for subject in server.subjects()), "a mail about MASTER")
    scene.rig.lan.unplug(scene.rig.host)
    scene.wait(lambda: any("FAULT" in subject for subject in server.subjects()), f"a mail about FAULT in {server.subjects()}")
    scene.note([subject for subject in server.subjects() if "Stopping" not in subject])
    scene.note(server.envelopes[0])
    message = server.parsed()[0]
    scene.note({name: message[name] for name in ("From", "To", "Subject")})
    scene.note(sorted({re.sub(r"[0-9].*", "", command).strip() for command in server.commands if command.startswith(("HELO", "EHLO"))}))
