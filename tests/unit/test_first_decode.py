"""Threads may meet a shape for the first time at one moment: a night begins so, just after a deploy."""

from __future__ import annotations

import subprocess
import sys

CHILD = '''
import sys, threading, types
from clients.decoding import decode
SOURCE = """
from __future__ import annotations
import msgspec
from decimal import Decimal
class Inner(msgspec.Struct):
    a: str | None
    b: list[Decimal]
class Outer(msgspec.Struct):
    x: str
    inner: Inner
    rows: list[Inner]
    y: int | None
    z: dict[str, list[Inner]]
"""
BODY = b'{"x":"1","inner":{"a":"b","b":[]},"rows":[{"a":null,"b":[1.5]}],"y":3,"z":{}}'
sys.setswitchinterval(1e-6)
for number in range(600):
    module = types.ModuleType(f"shapes_{number}")
    sys.modules[module.__name__] = module
    exec(SOURCE, module.__dict__)
    go = threading.Barrier(8)
    def first():
        go.wait()
        decode(BODY, module.Outer, "a call")
    threads = [threading.Thread(target=first) for _ in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
'''


def test_threads_may_decode_a_shape_for_the_first_time_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, check=False, timeout=100)

    assert done.returncode == 0, done.stderr.decode()[-500:]
