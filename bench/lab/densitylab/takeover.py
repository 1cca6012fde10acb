"""How late a takeover was, by the protocol's own clock. Pure: reports in, figures out.

After silence a Backup may wait Active_Down_Interval from the last advert it heard; after an advert with priority 0, Skew_Time from that one
(RFC 9568 §6.4.2). A router is late by the time between that moment and the first announcement of its last address.
"""
import dataclasses

from .setting import ACTIVE, BACKUP, interface_name, own_address, virtual_addresses, virtual_routers

EARLY_SECONDS = 0.002     # earlier than the protocol's own time by more: a false takeover
CURVE_POINTS = 400


@dataclasses.dataclass
class Takeover:
    worst_lateness: float = 0.0     # seconds, of the last address over all routers
    median_lateness: float = 0.0
    advert_lateness: float = 0.0    # worst, of the new Active's first advert
    last_announced: float = 0.0     # seconds after the event
    due: tuple = (0.0, 0.0)         # the protocol's own time, earliest and latest router, seconds after the event
    early: int = 0                  # routers taken over before their time
    missing: int = 0                # addresses that were not announced
    wrong_mac: int = 0              # addresses announced with a virtual MAC where none is configured, or the reverse
    unheard: int = 0                # routers whose old Active was not heard
    without_goodbye: int = 0        # routers that sent no advert with priority 0 (after a stop)
    curve: tuple = ()               # (seconds after the event, addresses announced by then)


def _due(setting, old, after_stop):
    """The protocol's own time for a router whose old Active was heard as `old`."""
    if after_stop and old.first_zero:
        return old.first_zero + setting.skew_seconds(BACKUP)
    return old.last + setting.down_seconds(BACKUP)


def evaluate(setting, event_time, hearing, after_stop=False):
    result = Takeover()
    wants_virtual_mac = setting.mode != "plain"
    lateness, advert_lateness, dues, announcements = [], [], [], []
    for interface_number, vrid in virtual_routers(setting):
        interface = interface_name(interface_number)
        old = hearing.routers.get((interface, own_address(interface_number, ACTIVE), vrid))
        new = hearing.routers.get((interface, own_address(interface_number, BACKUP), vrid))
        if old is None:
            result.unheard += 1
            continue
        result.without_goodbye += after_stop and not old.first_zero
        due = _due(setting, old, after_stop)
        dues.append(due - event_time)
        if new is not None:
            advert_lateness.append(new.first - due)
            result.early += new.first < due - EARLY_SECONDS
        addresses = virtual_addresses(setting, interface_number, vrid)
        times = [hearing.announced.get((interface, address)) for address in addresses]
        result.missing += times.count(None)
        result.wrong_mac += sum(time is not None and ((interface, address) in hearing.virtual_macs) != wants_virtual_mac
                                for time, address in zip(times, addresses))
        heard = [time for time in times if time is not None]
        announcements += heard
        if len(heard) == len(times):
            lateness.append(max(heard) - due)
    if lateness:
        lateness.sort()
        result.worst_lateness, result.median_lateness = lateness[-1], lateness[len(lateness) // 2]
    if announcements:
        result.last_announced = max(announcements) - event_time
    result.advert_lateness = max(advert_lateness, default=0.0)
    result.due = (min(dues, default=0.0), max(dues, default=0.0))
    result.curve = thin_out(sorted(time - event_time for time in announcements))
    return result


def heard_elsewhere(setting, hearing):
    """How many virtual routers were heard, once at least, from another source than their Active: false takeovers, while it runs."""
    own = {interface_name(number): own_address(number, ACTIVE) for number in range(setting.interfaces)}
    return len({(interface, vrid) for interface, source, vrid in hearing.routers if source != own.get(interface)})


def thin_out(times):
    """(time, number of times up to it) for sorted times: the first, the last and some between."""
    count = len(times)
    places = sorted({round(step * (count - 1) / (CURVE_POINTS - 1)) for step in range(CURVE_POINTS)}) if count else []
    return tuple((times[place], place + 1) for place in places)
