"""One worker process: threads that run jobs until it is told to stop, then a drain."""

import logging
from collections.abc import Iterable
from threading import Event

from dramatiq.broker import Broker
from dramatiq.common import q_name
from dramatiq.worker import Worker

from models.states import Lane

logger = logging.getLogger(__name__)

DELAYED_PREFETCH = 1_000
CHECK_SECONDS = 1.0


def run_worker(broker: Broker, lanes: Iterable[Lane], threads: int, stop: Event, *, drain_seconds: float = 60) -> None:
    """Run the jobs of `lanes` on `threads` threads of this process until `stop` is set, then drain and return.

    An outage of the broker is waited out: consumers reconnect by themselves. While draining, running jobs may finish
    for `drain_seconds`; messages that were fetched and not begun go back to RabbitMQ. `broker` stays open.
    """
    queues = {lane.value for lane in lanes}
    worker = Worker(broker, queues=queues, worker_timeout=500, worker_threads=threads)
    # One message a thread: a fetched message that waits would die with a poisonous one that runs.
    worker.queue_prefetch = threads
    worker.delay_prefetch = DELAYED_PREFETCH
    for queue in queues:
        broker.declare_queue(queue)
    broker.emit_after("process_boot")
    worker.start()
    while not stop.wait(CHECK_SECONDS):
        replace_dead_threads(worker)
    worker.stop(timeout=int(drain_seconds * 1000))


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
