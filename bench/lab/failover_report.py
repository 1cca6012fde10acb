"""The table at the end of bench/lab/failover: per event and virtual router, what was measured from outside."""
import dataclasses


@dataclasses.dataclass
class Event:
    name: str        # stop, kill -9, return
    router: str      # whom it happened to
    begin: float     # CLOCK_MONOTONIC
    end: float       # when all had settled
    before: dict     # router -> addresses it held

    def old_holder(self, address):
        return next((router for router, held in self.before.items() if address in held), None)


def _seconds(value):
    if value is None:
        return "-"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def _new_holder(observer, event, address):
    """(router, seconds until its kernel had the address), or the old holder when nothing moved."""
    for change in observer.changes:
        if event.begin <= change.time <= event.end and address in change.gained and change.router != event.old_holder(address):
            return change.router, change.time - event.begin
    return event.old_holder(address), None


def _protocol(event, advert):
    """What VRRP itself demands between event and takeover, by the new Active's own priority and interval (RFC 9568 §6.1)."""
    unit = advert.interval if advert.version == 3 else 1
    skew = (256 - advert.priority) / 256 * unit
    if event.name == "stop":
        return _seconds(skew)
    # After silence the Active_Down_Interval counts from the last advert, which is up to one interval old; a returning
    # router starts with a whole one.
    most = 3 * advert.interval + skew
    if event.name == "return":
        return _seconds(most)
    return f"{_seconds(most - advert.interval)} to {_seconds(most)}"


def _rows(demonstration, event):
    observer = demonstration.observer
    for target in demonstration.pinger.targets:
        sent, lost, gap = target.stretch(event.begin, event.end)
        router, address_after = _new_holder(observer, event, target.address)
        adverts = [a for a in observer.adverts if target.address in a.addresses and event.begin <= a.time <= event.end and a.priority]
        moved = address_after is not None
        own = next(host for host in demonstration.lan.routers if host.name == router).own_addresses() if router else ()
        first = next((a for a in adverts if a.source in own), None) if moved else None
        interval = f"{_seconds(adverts[-1].interval)}" if adverts else "?"
        yield [f"{event.name} {event.router}", f"{target.address}", interval,
               router if moved else f"stays on {router}", _seconds(first.time - event.begin if first else None),
               _seconds(address_after), _protocol(event, first) if first else "-",
               f"{lost} of {sent}", _seconds(gap) if lost else "-"]


HEADINGS = ("event", "address", "adverts every", "Active then", "its first advert", "address up", "VRRP's own time",
            "pings lost", "longest gap")


def print_report(demonstration):
    rows = [list(HEADINGS)]
    for event in demonstration.events:
        rows += _rows(demonstration, event)
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    print()
    for number, row in enumerate(rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))
    print("\nTimes count from the event. \"VRRP's own time\" is what the protocol demands with these settings: Skew_Time after"
          "\nan orderly stop (priority 0), what is left of Active_Down_Interval after silence. Pings: one every 5 ms; the"
          "\nkernels of all routers were asked at every settled moment, and each address was on exactly one.")
