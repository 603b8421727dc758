"""The lanes: queues with workers of their own, so that one kind of work never waits behind another."""

from enum import StrEnum


class Lane(StrEnum):
    """A queue that jobs travel on; its value is the queue's name in RabbitMQ."""

    INTERACTIVE = "interactive"  # a person is waiting, or an account was opened or closed
    NIGHTLY = "nightly"  # the runs of 23:00 and what catches up on them
    BACKFILL = "backfill"  # history asked for at connection time, which may take hours
