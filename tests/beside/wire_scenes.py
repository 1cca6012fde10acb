"""What is on the wire."""
from scene import VIP, instance, scenario

SECOND = "192.0.2.101"


def sent(scene, text, count=3):
    """The frame form of the adverts after it became Active."""
    scene.start(text)
    scene.wait_active()
    scene.wait(lambda: len(scene.ear.adverts(source=None)) >= count, "adverts")
    one = scene.ear.adverts(source=None)[-1]
    scene.note(f"from {one.source} ({one.mac}) to {one.destination}: version {one.version}, VRID {one.vrid}, priority {one.priority}, "
               f"every {one.interval} s, {', '.join(map(str, one.addresses))}")
    scene.note(f"message {scene.ear.messages()[-1]}")


def classic(lines="", addresses=(VIP,)):
    body = "\n".join(addresses)
    return (f"vrrp_instance VI_1 {{\n state MASTER\n interface eth0\n virtual_router_id 51\n priority 150\n advert_int 1\n {lines}\n"
            f" virtual_ipaddress {{\n {body}\n }}\n}}\n")


@scenario("VRRPv3, 0.1 s, two addresses and an excluded one", "interface virtual_router_id priority version advert_int virtual_ipaddress virtual_ipaddress_excluded")
def version3(scene):
    sent(scene, instance("priority 150\n virtual_ipaddress_excluded {\n 192.0.2.103\n }", addresses=(VIP, SECOND)))


@scenario("VRRPv2 with a password, as in every tutorial", "state authentication auth_type auth_pass")
def password(scene):
    sent(scene, classic("authentication {\n auth_type PASS\n auth_pass 1111\n }"))


@scenario("vrrp_version, vrrp_mcast_group4", "vrrp_version vrrp_mcast_group4")
def global_wire(scene):
    sent(scene, "global_defs {\n vrrp_version 3\n vrrp_mcast_group4 224.0.0.200\n}\n" + classic())


@scenario("mcast_src_ip", "mcast_src_ip")
def source(scene):
    scene.rig.ip("address add 192.0.2.9/24 dev eth0")
    sent(scene, classic("mcast_src_ip 192.0.2.9"))


@scenario("unicast_peer and unicast_src_ip: one advert for each peer", "unicast_peer unicast_src_ip")
def unicast(scene):
    scene.rig.ip("neighbour add 192.0.2.7 lladdr 02:00:00:00:00:07 dev eth0")
    sent(scene, instance("unicast_src_ip 192.0.2.1\n unicast_peer {\n 192.0.2.250\n 192.0.2.7\n }"), count=6)
    scene.note(sorted({str(one.destination) for one in scene.ear.adverts()}))


@scenario("priority 0 when it stops", "")
def farewell(scene):
    scene.start(instance("priority 150"))
    scene.wait_active()
    scene.rig.stop()
    scene.note(scene.priorities())


def bursts(scene, gap=1.2, count=4):
    """Sizes of the first bursts of gratuitous ARP, which a silence divides."""
    def sizes():
        times, found = scene.ear.announced(), []
        for i, one in enumerate(times):
            if i == 0 or one - times[i - 1] > gap:
                found.append(0)
            found[-1] += 1
        return found
    scene.wait(lambda: len(sizes()) > count, f"{count} bursts")
    return sizes()[:count]


SECOND_BURST = "keepalived's second burst has five rounds whatever garp_master_repeat says"


@scenario("gratuitous ARP: repeat, delay, refresh", "garp_master_repeat garp_master_delay garp_master_refresh garp_master_refresh_repeat", why=SECOND_BURST)
def announcements(scene):
    scene.start(instance("garp_master_repeat 3\n garp_master_delay 2\n garp_master_refresh 3\n garp_master_refresh_repeat 2"))
    scene.note(f"bursts of {bursts(scene)}")


@scenario("the same by global_defs", "vrrp_garp_master_repeat vrrp_garp_master_delay vrrp_garp_master_refresh vrrp_garp_master_refresh_repeat",
          why=SECOND_BURST)
def announcements_by_default(scene):
    scene.start("global_defs {\n vrrp_garp_master_repeat 4\n vrrp_garp_master_delay 2\n vrrp_garp_master_refresh 3\n vrrp_garp_master_refresh_repeat 1\n}\n" + instance())
    scene.note(f"bursts of {bursts(scene)}")


@scenario("vrrp_garp_interval: never closer", "vrrp_garp_interval",
          why="keepalived sends the first at once and an address that waits already is not queued again; vigil sends every round, at that distance")
def paced(scene):
    scene.start("global_defs {\n vrrp_garp_interval 0.15\n}\n" + instance("garp_master_delay 0", addresses=(VIP, SECOND)))
    scene.wait_active()
    times = scene.settles(lambda: sorted(scene.ear.announced() + scene.ear.announced(SECOND)), quiet=2)
    scene.note(f"{len(times)} announcements")
    # Each may be seen late; that all are seen in less than the time that they must take is not possible.
    scene.note(f"took at least as many intervals: {times[-1] - times[0] > (len(times) - 1) * 0.15 - 0.05}")


@scenario("use_vmac: source MAC of adverts, who answers for the address", "use_vmac")
def virtual_mac(scene):
    sent(scene, instance("use_vmac"))
    scene.note(scene.ip_lines("-br", "link", "show", "type", "macvlan")[0].split()[0].split("@"))
    from netlab.wire import who_has
    import ipaddress
    scene.note(who_has(scene.rig.lan.client, "eth0", ipaddress.ip_address(VIP)))


@scenario("use_vmac with vmac_xmit_base", "vmac_xmit_base")
def base(scene):
    sent(scene, instance("use_vmac\n vmac_xmit_base"))


@scenario("IPv6", "virtual_ipaddress")
def ipv6(scene):
    scene.start("vrrp_instance VI_6 {\n interface eth0\n virtual_router_id 51\n priority 150\n advert_int 0.1\n version 3\n"
                " virtual_ipaddress {\n fe80::100\n 2001:db8::100/64\n }\n}\n")
    scene.wait_active("2001:db8::100")
    scene.wait(lambda: len(scene.ear.adverts(source=None)) >= 2, "adverts")
    one = scene.ear.adverts(source=None)[-1]
    scene.note(f"from {one.source} to {one.destination}: version {one.version}, {', '.join(map(str, one.addresses))}")


@scenario("vrrp_gna_interval: the same for unsolicited neighbour advertisements", "vrrp_gna_interval",
          why="as with vrrp_garp_interval")
def paced_ipv6(scene):
    scene.start("global_defs {\n vrrp_gna_interval 0.15\n}\nvrrp_instance VI_6 {\n interface eth0\n virtual_router_id 51\n priority 150\n advert_int 0.1\n version 3\n"
                " garp_master_delay 0\n virtual_ipaddress {\n fe80::100\n 2001:db8::100/64\n }\n}\n")
    scene.wait_active("2001:db8::100")
    times = scene.settles(lambda: sorted(scene.ear.advertised("fe80::100") + scene.ear.advertised("2001:db8::100")), quiet=2)
    scene.note(f"{len(times)} advertisements")
    scene.note(f"took at least as many intervals: {times[-1] - times[0] > (len(times) - 1) * 0.15 - 0.05}")
