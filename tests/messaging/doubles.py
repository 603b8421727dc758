"""A database that is only counted, and the shapes of the fixtures that are functions."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

# How many messages a queue holds that no consumer has.
CountMessages = Callable[[str], int]

# `run_worker` in a thread for the length of a block; gives the event that stops it.
WorkerRunning = Callable[..., AbstractContextManager[threading.Event]]


class CountedDatabase:
    """Stands for a pool: how many connections are out, how many were ever taken, and whether it can be reached."""

    def __init__(self) -> None:
        self.out: set[int] = set()
        self.opened = 0
        self.reachable = True

    def open(self) -> None:
        if not self.reachable:
            raise ConnectionRefusedError("no database here")
        self.out.add(threading.get_ident())
        self.opened += 1

    def close(self) -> None:
        self.out.discard(threading.get_ident())
