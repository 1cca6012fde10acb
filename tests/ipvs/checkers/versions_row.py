"""A row of docs/checkers.md: what is tried, and what came of it."""
import dataclasses

VERSIONS = ("good", "dead", "hanging", "lying", "garbage")


@dataclasses.dataclass(frozen=True)
class Row:
    """One check of one version of a server, and the verdict that is right. `arguments`: of check_once(). `limit`: connect_timeout in milliseconds."""
    checker: str
    version: str
    what: str
    arguments: tuple = ()
    cause: str = ""                # of the verdict; empty: the server is good
    outcome: str = ""              # failed when there is a cause
    limit: int = 5000
    weight: int = None
    before: object = None          # called before the check
    holds: object = None           # must live as long


@dataclasses.dataclass(frozen=True)
class Result:
    checker: str
    version: str
    what: str
    verdict: str
    cause: str
    milliseconds: int
    limit_text: str
    complaint: str = ""

    @property
    def time_text(self):
        if self.milliseconds == 0:
            return "< 1 ms"
        return f"{self.milliseconds} ms" if self.milliseconds < 1000 else f"{self.milliseconds / 1000:.2f} s"


def limit_text(milliseconds):
    return f"{milliseconds / 1000:g} s"


def found_row(row, outcome, cause, milliseconds, weight=None):
    """What a check found beside what it should have found."""
    wanted = (row.outcome or ("failed" if row.cause else "ok"), row.cause, row.weight)
    complaint = "" if (outcome, cause, weight) == wanted else f"{(outcome, cause, weight)} instead of {wanted}"
    return Result(row.checker, row.version, row.what, outcome, cause, milliseconds, limit_text(row.limit), complaint)
