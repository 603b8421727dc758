"""What may go wrong in one seed, and how often. Each seed has some of the misfortunes, and seldom all."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from random import Random

SOME = (0.04, 0.12, 0.35)  # of the calls that a misfortune could strike
FEW = (0.002, 0.006, 0.02)  # of a worker's steps
EDGES = (6, 44, 46, 91, 130, 240, 290, 299, 301, 306, 355, 361, 415, 421, 600)  # seconds at which a rule turns
ENABLED = 0.35


def _chance(levels: tuple[float, ...]) -> float:
    return field(default=0.0, metadata={"levels": levels})


@dataclass
class Weather:
    """Chances. Those of steps are asked at each touch of the outside, the others at each call or message."""

    crash: float = _chance(FEW)
    stop: float = _chance(FEW)  # the process stands still for as long as it takes to cross an edge
    slow: float = _chance(FEW)  # one step takes seconds
    leave: float = _chance(SOME)  # asked to end after the current step
    slow_token: float = _chance(SOME)
    lose_request: float = _chance(SOME)
    lose_answer: float = _chance(SOME)
    late_commit: float = _chance(SOME)
    late_list: float = _chance(SOME)
    error_before: float = _chance(SOME)  # an internal error, remembered under the key
    error_after: float = _chance(SOME)  # the same, once everything was done
    error_amid: float = _chance(SOME)  # the same, once some rows were made
    unavailable: float = _chance(SOME)  # 503 from somebody in front of Xero
    garbage: float = _chance(SOME)
    leave_out: float = _chance(SOME)  # an answer that names some rows
    limit: float = _chance(SOME)
    expire: float = _chance(SOME)  # 401
    forbid: float = _chance((0.01, 0.03))  # 403
    refuse_done: float = _chance((0.01, 0.04, 0.12))  # 429, 401 or 403 from somebody in front of Xero, which works on
    refuse: float = _chance(SOME)  # of the transactions
    race: float = _chance(SOME)  # of the transactions: another request makes its contact at the same moment
    spoil: float = _chance(SOME)  # of the transactions: Xero refuses the whole request that holds it
    delete: float = _chance((0.2, 0.6))  # of the rows, by a person
    lose_message: float = _chance((0.1, 0.5, 1.0))
    repeat_message: float = _chance((0.1, 0.5))
    set_clock: float = _chance((1.0,))  # one of the two clocks is set, once or several times

    @classmethod
    def of(cls, random: Random) -> Weather:
        """The seed's own weather."""
        chances = {one.name: random.choice(one.metadata["levels"]) for one in fields(cls) if random.random() < ENABLED}
        return cls(**chances)

    def end(self) -> None:
        """From now on nothing goes wrong."""
        for one in fields(self):
            setattr(self, one.name, 0.0)


def near_an_edge(random: Random) -> float:
    """Seconds that end a little before or after a moment at which some rule turns."""
    return max(0.1, random.choice(EDGES) + random.uniform(-3, 3))
