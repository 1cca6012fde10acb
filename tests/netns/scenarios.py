"""The scenarios: what both routers of a LAN are told to be. Seat A has the higher priority unless said otherwise."""
import dataclasses
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench" / "lab"))
from netlab.router import VirtualRouter  # noqa: E402

V4 = ("192.0.2.100/24",)
V6 = ("fe80::5:100/64", "2001:db8::100/64")
TWENTY = tuple(f"192.0.2.{100 + number}/24" for number in range(20))
SHORT = 0.2    # seconds; several adverts pass quickly, yet a busy machine keeps the time


LIFE = ("elect", "stay", "stop", "return", "kill -9", "return again")
UPHEAVALS = ("elect", "stay", "leftovers", "child dies", "reload")


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    group: str
    about: str
    router: VirtualRouter
    priorities: tuple = (200, 100)
    unicast: bool = False
    partition: bool = False      # also: routers that cannot hear each other, and then can again
    life: tuple = LIFE           # phases; "end" follows, "partition" before it when asked for

    @property
    def phases(self):
        return self.life + (("partition",) if self.partition else ()) + ("end",)

    @property
    def takes_back(self):
        """Whether a returning A takes the addresses back from B."""
        return self.router.preempt and self.priorities[0] > self.priorities[1]

    def routers(self, hosts):
        """The virtual router as each of the two hosts has it."""
        own = [host.addresses["eth0"][0 if self.router.family == 4 else 1].partition("/")[0] for host in hosts]
        found = []
        for index, priority in enumerate(self.priorities):
            changes = {"priority": priority}
            if self.unicast:
                changes |= {"source": own[index], "peers": (own[1 - index],)}
            found.append(dataclasses.replace(self.router, **changes))
        return found


def _v2(**options):
    return VirtualRouter(version=2, interval=1, addresses=V4, **options)


def _v3(addresses=V4, **options):
    return VirtualRouter(version=3, addresses=addresses, **{"interval": SHORT, **options})


SCENARIOS = (
    Scenario("v2_plain", "v2", "version 2, no authentication", _v2()),
    Scenario("v2_pass", "v2", "version 2, simple password", _v2(authentication=("PASS", "s3cret"))),
    Scenario("v2_ah", "v2", "version 2, AH with HMAC-MD5-96", _v2(authentication=("AH", "s3cret"))),
    Scenario("unicast_v2_pass", "v2", "version 2 by unicast, simple password",
             _v2(authentication=("PASS", "s3cret")), unicast=True),
    Scenario("v3_ipv4", "v3", "version 3 over IPv4, 200 ms", _v3(), partition=True),
    Scenario("v3_ipv4_10ms", "v3", "version 3 over IPv4, 10 ms", _v3(interval=0.01)),
    Scenario("v3_ipv6", "v3", "version 3 over IPv6, 200 ms", _v3(V6), partition=True),
    Scenario("unicast_v3", "v3", "version 3 by unicast", _v3(), unicast=True),
    Scenario("unicast_v3_ipv6", "v3", "version 3 over IPv6 by unicast", _v3(("2001:db8::100/64",)), unicast=True),
    Scenario("virtual_mac", "virtual_mac", "use_vmac", _v3(virtual_mac="macvlan")),
    Scenario("virtual_mac_v2", "virtual_mac", "use_vmac, version 2", _v2(virtual_mac="macvlan")),
    Scenario("virtual_mac_ipv6", "virtual_mac", "use_vmac over IPv6", _v3(V6, virtual_mac="macvlan")),
    Scenario("virtual_mac_base", "virtual_mac", "use_vmac and vmac_xmit_base",
             _v3(virtual_mac="macvlan, adverts from the base")),
    Scenario("vmac_set", "virtual_mac_set", "use_vmac with vmac_mode nftables", _v3(virtual_mac="nftables")),
    Scenario("vmac_set_ipv6", "virtual_mac_set", "the same over IPv6", _v3(V6, virtual_mac="nftables")),
    Scenario("vmac_set_many", "virtual_mac_set", "the same with 20 addresses, others of both families not advertised",
             _v3(TWENTY, excluded=("192.0.2.150/24", "2001:db8::150/64"), virtual_mac="nftables"), partition=True),
    Scenario("vmac_set_upheavals", "virtual_mac_set", "the same through crashes and SIGHUP", _v3(virtual_mac="nftables"), life=UPHEAVALS),
    Scenario("nopreempt", "election", "nopreempt: a returning A stays Backup", _v3(preempt=False), partition=True),
    Scenario("equal_priorities", "election", "the same priority: the greater address wins a tie",
             _v3(), priorities=(100, 100), partition=True),
    Scenario("twenty_addresses", "addresses", "20 addresses", _v3(TWENTY)),
    Scenario("excluded_addresses", "addresses", "addresses that are not advertised",
             _v3(excluded=("192.0.2.150/24", "192.0.2.151/24", "2001:db8::150/64"))),
    Scenario("upheavals", "supervision", "leftovers of a killed run, a child that dies, SIGHUP", _v3(), life=UPHEAVALS),
)
