"""Cases of those that are told of changes of state, and take it badly: FIFOs, their readers, mail servers."""
import os

from cases import case, expect
from mail_server import MailServer
from netlab.daemon import is_alive
from rig import PATIENCE, VIP, instance, wait_for

TOLD = "Who is told: FIFOs and mail"


def telling(rig, *lines, words="smtp_alert"):
    rig.configuration.write_text("global_defs {\n" + "".join(f"    {line}\n" for line in lines) + "}\n" + instance(words))


MAIL = ("notification_email {\n        ops@example.com\n    }", "smtp_server 127.0.0.1 2525", "smtp_connect_timeout 1")


@case(TOLD, "a file where the FIFO should be")
def no_fifo(rig):
    (rig.directory / "fifo").write_text("precious")
    telling(rig, f"notify_fifo {rig.directory}/fifo")
    rig.start()
    rig.wait_holds()
    rig.stop()
    expect((rig.directory / "fifo").read_text() == "precious", "the file was written to")
    return [rig.wait_for_line("not a FIFO")], f"{VIP} is set all the same; the file is untouched"


@case(TOLD, "a FIFO that is full, and that nobody reads")
def full_fifo(rig):
    fifo = rig.directory / "fifo"
    os.mkfifo(fifo)
    full = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
    try:
        while True:
            os.write(full, bytes(4096))
    except BlockingIOError:
        pass
    telling(rig, f"notify_fifo {fifo}")
    rig.start()
    rig.wait_holds()
    read = b""

    def has_line():
        nonlocal read
        try:
            read += os.read(full, 1 << 20)
        except BlockingIOError:
            pass
        return b'INSTANCE "VI_1" MASTER 100\n' in read
    wait_for(has_line, PATIENCE, "a reader gets the line")
    expect(rig.stop() == 0, "it did not stop in order")
    os.close(full)
    return [], f"{VIP} is set; the lines are kept for whoever reads"


@case(TOLD, "a FIFO script that does not exist")
def no_reader(rig):
    telling(rig, f"notify_fifo {rig.directory}/fifo", "notify_fifo_script /no/such/reader")
    rig.start()
    rig.wait_holds()
    return [rig.wait_for_line("/no/such/reader")], f"{VIP} is set; the FIFO is there"


@case(TOLD, "a FIFO script that ignores SIGTERM and reads nothing")
def stubborn_reader(rig):
    script = rig.directory / "reader"
    script.write_text(f'#!/bin/sh\ntrap "" TERM HUP\necho $$ > {rig.directory}/pid\nwhile :; do sleep 1; done\n')
    script.chmod(0o755)
    telling(rig, f"notify_fifo {rig.directory}/fifo", f"notify_fifo_script {script}")
    rig.start()
    rig.wait_holds()
    wait_for(lambda: (rig.directory / "pid").exists() and (rig.directory / "pid").read_text(), PATIENCE, "the reader runs")
    expect(rig.stop() == 0, "it did not stop in order")
    expect(not is_alive(int((rig.directory / "pid").read_text())), "the reader lives on")
    return [], "killed at the end; the daemon stops in order"


def mail_server(title, manner, words):
    @case(TOLD, title)
    def act(rig):
        server = MailServer(rig.host, manner)
        try:
            telling(rig, *MAIL)
            rig.start()
            rig.wait_holds()
            line = rig.wait_for_line(words)
            expect(rig.stop() == 0 and not rig.find("did not end in time"), "it did not stop in order")
        finally:
            server.close()
        return [line], f"{VIP} is set meanwhile; tried again later"


mail_server("a mail server that takes the connection and never answers", "silent", "it did not answer in time")
mail_server("a mail server that greets for ever, octet by octet", "dawdling", "it did not answer in time")
mail_server("a mail server that speaks HTTP", "foreign", "does not speak SMTP")


@case(TOLD, "a mail server whose name nobody knows")
def unknown_mail_server(rig):
    telling(rig, MAIL[0], "smtp_server no-such-host.invalid")
    rig.start()
    rig.wait_holds()
    return [rig.wait_for_line("its name was not found")], f"{VIP} is set; tried again later"


@case(TOLD, "a mail address that would end the SMTP command, `x>y@z`")
def bad_mail_address(rig):
    telling(rig, "notification_email {\n        x>y@z\n    }", MAIL[1])
    server = MailServer(rig.host)
    try:
        rig.start()
        rig.wait_holds()
        expect(rig.stop() == 0, "it did not stop in order")   # what is to be sent is sent by then
    finally:
        server.close()
    expect(server.connections == 0, f"the server was told {server.commands}")
    return [rig.wait_for_line("this is no mail address")], f"{VIP} is set; nobody gets mail"
