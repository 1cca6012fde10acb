"""SIGHUP."""
from scene import VIP, instance, scenario

SECOND = "192.0.2.102"


def one(lines="", addresses=(VIP + "/24",)):
    return instance("priority 150\n " + lines, addresses=addresses)


def two(lines=""):
    return instance("priority 150\n " + lines, name="VI_2", vrid=52, addresses=(SECOND + "/24",))


@scenario("an instance more", "")
def added(scene):
    scene.start(one())
    scene.wait_active()
    scene.reload(one() + two())
    scene.wait_active(SECOND)
    scene.note(f"the first one said priority 0: {0 in scene.priorities()}")
    scene.note(f"holds its address: {scene.rig.holds()}")


@scenario("an instance less: it says priority 0, its address goes", "")
def removed(scene):
    scene.start(one() + two())
    scene.wait_active()
    scene.wait_active(SECOND)
    scene.reload(one())
    scene.wait_backup(SECOND)
    scene.wait(lambda: scene.priorities(52)[-1:] == [0], "priority 0 of VRID 52")
    scene.note(f"the other said priority 0: {0 in scene.priorities()}")
    scene.note(f"holds its address: {scene.rig.holds()}")


@scenario("an address more and one less", "")
def other_addresses(scene):
    scene.start(one(addresses=(VIP + "/24", "192.0.2.103/24")))
    scene.wait_active("192.0.2.103")
    scene.reload(one(addresses=(VIP + "/24", "192.0.2.104/24")))
    scene.wait_active("192.0.2.104")
    scene.wait_backup("192.0.2.103")
    scene.wait(lambda: [str(ip) for ip in scene.ear.adverts()[-1].addresses] == [VIP, "192.0.2.104"], "the new list in adverts")
    scene.note(f"said priority 0: {0 in scene.priorities()}")
    for line in scene.settles(scene.addresses):
        scene.note(line)


@scenario("another priority", "")
def other_priority(scene):
    scene.start(one())
    scene.wait_active()
    scene.reload(one().replace("priority 150", "priority 140"))
    scene.wait_priority(140)
    scene.note(scene.priorities())


@scenario("another VRID", "")
def other_vrid(scene):
    scene.start(one())
    scene.wait_active()
    scene.reload(one().replace("virtual_router_id 51", "virtual_router_id 61"))
    scene.wait(lambda: scene.ear.adverts(61), "adverts of the new VRID")
    scene.wait_active()
    scene.note(f"the old one said priority 0: {scene.priorities()[-1] == 0}")


@scenario("nothing changed", "")
def unchanged(scene):
    scene.start(one("garp_master_delay 0"))
    scene.wait_active()
    scene.settles(lambda: len(scene.ear.announced()))
    scene.ear.clear()
    scene.reload(one("garp_master_delay 0"))
    scene.wait(lambda: len(scene.ear.adverts()) >= 10, "ten more adverts")
    scene.note(f"said priority 0: {0 in scene.priorities()}")
    scene.note(f"announced its address again: {bool(scene.ear.announced())}")
