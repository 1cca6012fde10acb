"""What happens to the site, event after event, and what the client noticed of each.

Before an event and after it everything is settled: one director is Active, both have the table that the event leads to, the last requests were answered by
exactly the servers that should, every long-lived connection works, and both directors know it. The figures of an event are those from the event to that calm,
and at least `window` seconds of them, so that two daemons are asked as often.
"""
import time
from typing import Callable, NamedTuple

BOTH = frozenset({"server-1", "server-2"})
SORRY = frozenset({"sorry"})


class Event(NamedTuple):
    name: str
    title: str
    happen: Callable          # what is done to the site
    servers: frozenset        # who answers afterwards
    active: int = 0           # the director that is Active afterwards


def _kill_pages(*numbers):
    return lambda site: [site.kill_page(site.real[number]) for number in numbers]


def _start_pages(*numbers):
    return lambda site: [site.start_page(site.real[number]) for number in numbers]


EVENTS = (
    Event("nothing", "nothing happens", lambda site: None, BOTH),
    Event("refuses", "a real server's program dies (refuses connections)", _kill_pages(0), frozenset({"server-2"})),
    Event("refuses-back", "it is back", _start_pages(0), BOTH),
    Event("silent", "a real server loses its link (silence)", lambda site: site.lan.unplug(site.real[1]), frozenset({"server-1"})),
    Event("silent-back", "it is back", lambda site: site.lan.unplug(site.real[1], out=False), BOTH),
    Event("all", "both real servers' programs die (the sorry server answers)", _kill_pages(0, 1), SORRY),
    Event("all-back", "both are back", _start_pages(0, 1), BOTH),
    Event("dies", "the Active director dies (kill -9, off the LAN)", lambda site: site.machine_dies(site.directors[0]), BOTH, active=1),
    Event("returns", "it boots, and takes over again (preempt_delay 5)", lambda site: site.machine_returns(site.directors[0]), BOTH),
    Event("stops", "the Active director's daemon is stopped in order", lambda site: site.directors[0].stop(), BOTH, active=1),
    Event("starts", "it is started, and takes over again", lambda site: site.start_director(site.directors[0]), BOTH),
)


def settle(site, active, servers, count):
    site.wait_directors(site.directors[active], servers)
    site.wait_calm(count, servers)
    site.wait_synchronized()


def play(site, count, window=0, tell=print):
    """Event name -> Figures. `count`: requests in a row that make a calm."""
    settle(site, 0, BOTH, count)
    results = {}
    for event in EVENTS:
        site.renew()
        site.wait_synchronized()
        begin = time.monotonic()
        event.happen(site)
        settle(site, event.active, event.servers, count)
        time.sleep(max(0, begin + window - time.monotonic()))
        results[event.name] = site.records.read().figures(begin, time.monotonic(), site.long_count)
        tell(event, results[event.name])
    return results
