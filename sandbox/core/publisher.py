"""The thread that publishes: in order, at least once, for as long as it takes."""

import logging
from threading import Thread

from sandbox.core.broker import publish
from sandbox.core.outbox import Outbox

_RETRY_SECONDS = 0.5
_LINGER_SECONDS = 1.0  # less than the heartbeat: nobody speaks to the broker meanwhile


def start_publisher(outbox: Outbox) -> None:
    """Publish what comes into the outbox until the process ends, which it never delays."""
    # A broker that is away is no news to be told every half second, and pika's frames hold the password.
    logging.getLogger("pika").setLevel(logging.CRITICAL + 1)
    Thread(target=_publish_for_ever, args=(outbox,), name="qonto core", daemon=True).start()


def _publish_for_ever(outbox: Outbox) -> None:
    while True:
        broker = outbox.wait_for_work()
        try:
            with broker.channel() as channel:
                while (emission := outbox.first(broker, _LINGER_SECONDS)) is not None:
                    publish(channel, emission.event)
                    outbox.done(emission)
        except Exception:  # whatever it was: the core tries again, and nobody would notice a dead thread
            outbox.wait_for_another(broker, _RETRY_SECONDS)
