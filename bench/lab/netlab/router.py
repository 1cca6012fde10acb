"""What a virtual router is told to be, in no daemon's own language."""
import dataclasses
import ipaddress


@dataclasses.dataclass(frozen=True)
class VirtualRouter:
    name: str = "VI_1"
    interface: str = "eth0"
    vrid: int = 51
    version: int = 3              # 2 or 3
    priority: int = 100           # 1-255
    interval: float = 1.0         # seconds; whole ones in version 2
    addresses: tuple = ("192.0.2.100/24",)
    excluded: tuple = ()
    authentication: tuple = ()    # ("PASS", password) or ("AH", key); version 2 only
    source: str = ""              # own address for unicast
    peers: tuple = ()             # the other routers' addresses; unicast when not empty
    virtual_mac: str = ""         # "", "macvlan", "macvlan, adverts from the base", or "nftables" (vigild; others: macvlan)
    preempt: bool = True

    @property
    def family(self):
        return ipaddress.ip_interface(self.addresses[0]).version

    @property
    def skew_seconds(self):
        """RFC 9568 §6.1: Skew_Time; version 2 (RFC 3768 §6.1) counts it in 1/256 s."""
        return (256 - self.priority) / 256 * (self.interval if self.version == 3 else 1)

    @property
    def down_seconds(self):
        """Active_Down_Interval."""
        return 3 * self.interval + self.skew_seconds

    @property
    def mac(self):
        """RFC 9568 §7.3: the virtual router's own MAC."""
        return f"00:00:5e:00:{1 if self.family == 4 else 2:02x}:{self.vrid:02x}"

    def held(self):
        """Every address that the Active has."""
        return frozenset(ipaddress.ip_interface(text).ip for text in self.addresses + self.excluded)
