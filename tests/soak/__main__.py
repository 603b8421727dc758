"""`python -m tests.soak`: exits 1 when anything is violated. The same seed plans the same chaos."""

from __future__ import annotations

import argparse
import random
import sys

from tests.servers.postgres import running_postgres
from tests.servers.rabbitmq import running_rabbitmq
from tests.soak.plan import Scale
from tests.soak.soak import standing


def main() -> int:
    """One soak on servers of its own."""
    usual = Scale()
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=usual.minutes, help="of chaos (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="of the plan (default: drawn, and told)")
    parser.add_argument("--organisations", type=int, default=usual.organisations)
    parser.add_argument("--transactions", type=int, default=usual.transactions, help="of each, each night")
    options = parser.parse_args()
    seed = random.randrange(1_000_000) if options.seed is None else options.seed
    scale = Scale(options.minutes, seed, options.organisations, options.transactions)
    sys.stdout.write(f"seed {seed}\n")
    sys.stdout.flush()
    with running_postgres() as postgres, running_rabbitmq() as rabbitmq, standing(scale, postgres, rabbitmq) as soak:
        verdict = soak.run()
    sys.stdout.write(f"{verdict}\n")
    return 1 if verdict.problems else 0


if __name__ == "__main__":
    sys.exit(main())
