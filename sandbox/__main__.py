"""`python -m sandbox`: start the world from a command line."""

import argparse
import base64
import os

from sandbox.server import serve

_ENVIRONMENT = """\
Qonto's core publishes account events when the environment says where; it is never an argument, because everybody on
the machine can read those:
  SANDBOX_EVENTS_BROKER   amqp://user:password@host:port/vhost
  SANDBOX_EVENTS_KEY_ID   the name of the key that signs them
  SANDBOX_EVENTS_KEY      the key itself, in base64; without it or its name nothing is signed
"""


def main() -> None:
    """Read the command line and the environment, and serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description=__doc__,
        epilog=_ENVIRONMENT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds every request takes")
    parser.add_argument("--frozen-at", default=None, metavar="ISO", help="stop the clock at this time")
    parser.add_argument("--seed", type=int, default=None, help="make ids repeatable")
    args = parser.parse_args()
    try:
        serve(
            args.host,
            args.port,
            latency=args.latency,
            frozen_at=args.frozen_at,
            seed=args.seed,
            events_broker=os.environ.get("SANDBOX_EVENTS_BROKER") or None,
            events_key_id=os.environ.get("SANDBOX_EVENTS_KEY_ID") or None,
            events_key=_key(os.environ.get("SANDBOX_EVENTS_KEY") or None),
        )
    except ValueError as error:
        parser.error(str(error))


def _key(text: str | None) -> bytes | None:
    try:
        return None if text is None else base64.b64decode(text, validate=True)
    except ValueError:
        raise ValueError("SANDBOX_EVENTS_KEY is not base64") from None


if __name__ == "__main__":
    main()
