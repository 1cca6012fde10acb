"""Matches that are spoiled on purpose, each with the phase and the words in which the harness must notice.

A harness that passes everything proves nothing. Played by keepalived against itself, whose behaviour is known.
"""
import dataclasses

from match import Match
from scenarios import SCENARIOS

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


class TwoPasswords(Match):
    """They do not accept each other's adverts, so both become Active."""
    plays, fails_in = "v2_pass", "stay"
    because = ("both run: ", "held: router-1 [192.0.2.100], router-2 [192.0.2.100]")  # whichever look comes first

    def _make_daemons(self):
        self.routers[1] = dataclasses.replace(self.routers[1], authentication=("PASS", "other"))
        return super()._make_daemons()


class NoGoodbye(Match):
    """The Active dies instead of stopping in order: no priority 0 on the wire."""
    plays, fails_in, because = "v3_ipv4", "stop", "no advert with priority 0"

    def _stop(self):
        self.daemons[self.active].stop = self._die
        return super()._stop()

    def _die(self):
        self.daemons[self.active].kill()
        self.lan.routers[self.active].remove_leftovers()


class AddressLeft(Match):
    """Something stays in the kernel after an orderly stop."""
    plays, fails_in, because = "v3_ipv4", "stop", "left behind after SIGTERM: 198.51.100.7"

    def _stop(self):
        self.lan.routers[self.active].namespace.ip("address add 198.51.100.7/32 dev lo")
        return super()._stop()


class MovesWhileBothRun(Match):
    """The Backup does not hear the Active for a while, and becomes Active too."""
    plays, fails_in, because = "v3_ipv4", "stay", "both run: "

    def _stay(self):
        self.lan.partition(apart=True)
        return super()._stay()


class TwoAnswers(Match):
    """A third machine answers ARP for the address."""
    plays, fails_in, because = "v3_ipv4", "elect", "is answered by ['02:00:00:00:00:01', '02:00:00:00:00:02']"

    def _check_lan(self, holder):
        self.lan.routers[1].namespace.ip("address add 192.0.2.100/32 dev lo")
        return super()._check_lan(holder)


class WrongPriority(Match):
    """The adverts say something else than the configuration."""
    plays, fails_in, because = "v3_ipv4", "stay", "advert (version, VRID, priority"

    def _make_daemons(self):
        daemons = super()._make_daemons()
        self.routers[0] = dataclasses.replace(self.routers[0], priority=201)
        return daemons


class DoesNotComeBack(Match):
    """A router that should return does not start."""
    plays, fails_in, because = "v3_ipv4", "return", "router-1 (keepalived) alone holds the addresses"

    def _return(self):
        self.daemons[0].start = lambda: None
        return super()._return()


SABOTAGED = (TwoPasswords, NoGoodbye, AddressLeft, MovesWhileBothRun, TwoAnswers, WrongPriority, DoesNotComeBack)


def sabotaged_matches(directory):
    return [kind(BY_NAME[kind.plays], ("keepalived", "keepalived"), directory / kind.__name__) for kind in SABOTAGED]


def unnoticed(results):
    """Lines about sabotage that the harness did not see, or saw as something else."""
    found = []
    for kind, result in zip(SABOTAGED, results):
        reasons = kind.because if isinstance(kind.because, tuple) else (kind.because,)
        if result.failed != kind.fails_in or not any(reason in result.reason for reason in reasons):
            found.append(f"{kind.__name__}: expected '{' or '.join(reasons)}' in {kind.fails_in}, got "
                         f"'{result.reason or 'success'}' in {result.failed or 'no phase'}")
    return found
