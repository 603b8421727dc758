"""One worker process: threads that run jobs until it is told to stop, then a drain."""

import gc
import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from dramatiq.broker import Broker
from dramatiq.common import q_name
from dramatiq.worker import Worker

from models.states import Lane

logger = logging.getLogger(__name__)

DELAYED_PREFETCH = 1_000
CHECK_SECONDS = 1.0


def run_worker(broker: Broker, lanes: Iterable[Lane], threads: int, stop: Event, *, drain_seconds: float = 60) -> None:
    """Run the jobs of `lanes` on threads of this process until `stop` is set, then drain and return.

    The interactive lane has `threads` of its own, so that no person waits until a job of the night ends; the others
    share as many. An outage of the broker is waited out: consumers reconnect by themselves. While draining, running
    jobs may finish for `drain_seconds`; messages that were fetched and not begun go back to RabbitMQ. `broker` stays
    open.
    """
    broker.emit_after("process_boot")
    gc.freeze()  # what was made so far stays, and need not be looked through again and again
    workers = [_start(broker, crew, threads) for crew in _crews(lanes)]
    while not stop.wait(CHECK_SECONDS):
        for worker in workers:
            replace_dead_threads(worker)
    with ThreadPoolExecutor(len(workers)) as stops:
        list(stops.map(lambda worker: worker.stop(timeout=int(drain_seconds * 1000)), workers))


def _crews(lanes: Iterable[Lane]) -> list[set[Lane]]:
    """Which lanes share threads."""
    wanted = set(lanes)
    return [crew for crew in (wanted & {Lane.INTERACTIVE}, wanted - {Lane.INTERACTIVE}) if crew]


class _Crew(Worker):
    """A worker beside others on one broker, whose queues are all declared before it starts."""

    def start(self) -> None:
        self.broker.emit_before("worker_boot", self)
        # dramatiq learns of queues by a middleware, and a broker wants each kind of those only once.
        for queue in self.broker.get_declared_queues():
            self._add_consumer(queue)
        for queue in self.broker.get_declared_delay_queues():
            self._add_consumer(queue, delay=True)
        for _ in range(self.worker_threads):
            self._add_worker()
        self.broker.emit_after("worker_boot", self)


def _start(broker: Broker, lanes: set[Lane], threads: int) -> Worker:
    queues = {lane.value for lane in lanes}
    worker = _Crew(broker, queues=queues, worker_timeout=500, worker_threads=threads)
    # One message a thread: a fetched message that waits would die with a poisonous one that runs.
    worker.queue_prefetch = threads
    worker.delay_prefetch = DELAYED_PREFETCH
    for queue in queues:
        broker.declare_queue(queue)
    worker.start()
    return worker


def replace_dead_threads(worker: Worker) -> None:
    """Start a thread for each that has died: no exception, however odd, may leave a lane unread in a live process."""
    for queue, consumer in list(worker.consumers.items()):
        if not consumer.is_alive():
            logger.critical("The consumer of %s died and is replaced", queue)
            del worker.consumers[queue]
            worker._add_consumer(queue, delay=queue != q_name(queue))
    for thread in list(worker.workers):
        if not thread.is_alive():
            logger.critical("A worker thread died and is replaced")
            worker.workers.remove(thread)
            worker._add_worker()
