"""`python -m sandbox`: start the world from a command line."""

import argparse

from sandbox.server import serve


def main() -> None:
    """Read the command line and serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds every request takes")
    parser.add_argument("--frozen-at", default=None, metavar="ISO", help="stop the clock at this time")
    parser.add_argument("--seed", type=int, default=None, help="make ids repeatable")
    args = parser.parse_args()
    serve(args.host, args.port, latency=args.latency, frozen_at=args.frozen_at, seed=args.seed)


if __name__ == "__main__":
    main()
