"""Cases about interfaces; see cases.py."""
from cases import case, expect
from rig import VIP, instance

INTERFACES = "Interfaces"
PATIENT = instance("state MASTER\n    priority 255\n    down_timer_adverts 100\n    advert_int 1").replace("    advert_int 0.1\n", "")


@case(INTERFACES, "an interface that goes down and up 100 times in a second or two, with `interface_up_down_delays`",
      text="interface_up_down_delays {\n    eth0 10\n}\n" + PATIENT)
def bouncing(rig):
    rig.start()
    rig.wait_holds()
    rig.wait_for_line("Entering MASTER STATE")
    rig.mark()
    rig.ip(*["link set eth0 down", "link set eth0 up"] * 100)
    line = rig.wait_for_line("eth0 is up again within its delay")
    rig.ip(f"addr del {VIP}/24 dev eth0")
    rig.wait_for_line("somebody deleted address")   # which came behind all of that
    expect(rig.find("FAULT") == [], "it was in FAULT")
    return [line], "stays MASTER"


@case(INTERFACES, "words in `interface_up_down_delays` that are no delays", text="interface_up_down_delays {\n    eth0 soon\n}\n" + PATIENT)
def no_delay(rig):
    rig.start()
    rig.wait_holds()
    return [rig.wait_for_line("a delay is seconds from 0 to 255")], "runs, without a delay"
