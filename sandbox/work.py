"""Doing a service's work between the faults that strike around it."""

import asyncio
from collections.abc import Callable

from sandbox.fault_spec import Stage
from sandbox.faults import Fault, Faults
from sandbox.wire import Answer, Call

Spoiled = Callable[[Fault], Answer]


async def work_among_faults(
    faults: Faults, call: Call, latency: float, work: Callable[[], Answer], spoiled: Spoiled
) -> Answer:
    """Wait the latency, meet the faults of the stage, do the work in one go, and say what is to be remembered.

    `spoiled` writes a `status` fault in the service's own error shape.
    """
    fault = faults.take(Stage.WORK, call)
    if latency:
        await asyncio.sleep(latency)
    if fault is not None:
        if fault.spec.action == "status":
            return spoiled(fault)
        await fault.pause()
    answer = work()
    fault = faults.take(Stage.DONE, call)
    return spoiled(fault) if fault is not None else answer


async def deliver_among_faults(faults: Faults, stage: Stage, call: Call, answer: Answer, spoiled: Spoiled) -> Answer:
    """What a gate or delivery fault makes of an answer."""
    fault = faults.take(stage, call)
    if fault is None:
        return answer
    if fault.spec.action == "status":
        return spoiled(fault)
    if fault.spec.action in ("delay", "hold"):
        await fault.pause()
        return answer
    return Answer(answer.status, answer.body, answer.content_type, answer.headers, fault)
