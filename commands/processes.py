"""What runs until it is told to stop: the scheduler, the workers, the listener and the two pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from threading import Event

import click

from commands.frame import UNREACHABLE, Failure, at_work, start_log, stop_on_signal, the_settings, told_clearly
from commands.monitored import CONNECTIONS, monitored
from messaging import ConfirmingPublisher, Consumers, InProcessPublisher, Lane, NobodyToTell, Publisher, run_worker
from messaging.depths import in_process_depth, rabbitmq_depth
from messaging.destinations import QONTO_CORE
from messaging.outbox_relay import event_relay, lane_relay
from messaging.reachable import check_broker
from models.database import configure, connected
from models.migrate import check_schema
from models.outbox import OutboxMessage
from monitoring.checks import alive, broker, own
from monitoring.readiness import Check
from scheduler.loop import EVENT_REST_SECONDS, RelayLoop, Resender, Scheduler, Watcher, running
from services.check_keys import check_keys
from services.workbench import Workbench, make_workbench
from settings import IN_PROCESS, Settings, SettingsError
from web.exchange import P
from web.operations.site import OperationsSite
from web.server import THREADS, Server
from web.site import Site
from workers.listening import event_listener
from workers.process import worker_broker

LISTENER_POOL, PAGE_POOL, OPERATIONS_POOL = 2 + CONNECTIONS, THREADS + 1 + CONNECTIONS, 1 + CONNECTIONS


def worker_pool(threads: int) -> int:
    """The most connections to the database of a worker: as many threads again are there for the interactive lane."""
    return 2 * threads + 2 + CONNECTIONS


@click.command()
def scheduler() -> None:
    """Open the runs that fall due, publish their messages and what Qonto's core is told. Any number may run.

    Without a broker (QONTO_XERO_BROKER_URL=memory://, the default) it runs the jobs too, in this one process.
    """
    start_log()
    stop = stop_on_signal()
    with told_clearly(), at_work() as (settings, workbench):
        if settings.broker_url == IN_PROCESS:
            _check_xero_knows_us(settings)
            _schedule_and_work(settings, workbench, stop)
        else:
            check_broker(settings.broker_url)
            clockwork = Scheduler(workbench.clock)
            relays = _relays(lambda: ConfirmingPublisher(settings.broker_url), workbench)
            queued = partial(rabbitmq_depth, settings.broker_url)
            with _beside(relays, queued, settings, workbench, stop) as others:
                ours = own(scheduler=clockwork.why_not_working, **others)
                with monitored("scheduler", settings, workbench, stop, broker(settings.broker_url), ours):
                    clockwork.run(stop)


def _relays(make_publisher: Callable[[], Publisher], workbench: Workbench) -> list[RelayLoop[OutboxMessage]]:
    """One a lane, each with a connection of its own to the broker."""
    return [RelayLoop(lane_relay(lane, make_publisher(), workbench.clock)) for lane in Lane]


@contextmanager
def _beside(
    relays: Sequence[RelayLoop[OutboxMessage]],
    queued: Callable[[Lane], int],
    settings: Settings,
    workbench: Workbench,
    stop: Event,
) -> Iterator[dict[str, Check]]:
    """Inside the block outboxes are published, lost messages sent again and the fleet watched; gives a check of each.

    The core's broker may be away, also at the start.
    """
    url = settings.events_broker_url
    publisher = NobodyToTell() if url == IN_PROCESS else ConfirmingPublisher(url, QONTO_CORE)
    events = RelayLoop(event_relay(publisher, workbench.clock), EVENT_REST_SECONDS)
    resender = Resender(workbench.clock, queued)
    with running([*relays, events, resender, Watcher(workbench.clock)], stop) as threads:
        checks = {thread.name: alive(thread) for thread in threads}
        yield checks | {relay.name: relay.why_not_working for relay in relays}


def _schedule_and_work(settings: Settings, workbench: Workbench, stop: Event) -> None:
    lanes = worker_broker(settings.broker_url, workbench, stop)
    lanes.add_middleware(consumers := Consumers())
    clockwork = Scheduler(workbench.clock)
    relays = _relays(lambda: InProcessPublisher(lanes), workbench)
    with _beside(relays, partial(in_process_depth, lanes), settings, workbench, stop) as others:
        ours = own(scheduler=clockwork.why_not_working, worker=consumers.why_not_working, **others)
        with monitored("scheduler", settings, workbench, stop, ours), running([clockwork], stop):
            run_worker(lanes, list(Lane), 4, stop)


@click.command()
@click.option(
    "--threads",
    default=8,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Jobs at once; as many more on the interactive lane.",
)
@click.option(
    "--lane",
    "lanes",
    multiple=True,
    type=click.Choice([lane.value for lane in Lane]),
    help="Only these (default: all).",
)
def worker(threads: int, lanes: tuple[str, ...]) -> None:
    """Run jobs from RabbitMQ until SIGTERM, then finish the requests in flight and exit. Any number may run."""
    start_log()
    stop = stop_on_signal()
    with told_clearly():
        settings = the_settings()
        if settings.broker_url == IN_PROCESS:
            raise SettingsError(
                "QONTO_XERO_BROKER_URL is not set: without a broker, `qonto-xero scheduler` runs the jobs"
            )
        _check_xero_knows_us(settings)
        workbench = _prepared(settings, pool_size=worker_pool(threads))
        check_broker(settings.broker_url)
        ours = worker_broker(settings.broker_url, workbench, stop)
        ours.add_middleware(consumers := Consumers())
        checks = broker(settings.broker_url), own(worker=consumers.why_not_working)
        with monitored("worker", settings, workbench, stop, *checks):
            run_worker(ours, [Lane(lane) for lane in lanes] or list(Lane), threads, stop)


@click.command()
def listener() -> None:
    """Receive Qonto's account events from RabbitMQ until SIGTERM. Any number may run.

    Each event is stored once, with the message to the worker that follows it. What cannot be understood or trusted goes
    to quarantine: qonto-xero quarantine list. What is published, and how it is signed: docs/events.
    """
    start_log()
    stop = stop_on_signal()
    with told_clearly():
        settings = the_settings()
        if settings.events_broker_url == IN_PROCESS:
            raise SettingsError(
                "neither QONTO_XERO_EVENTS_BROKER_URL nor QONTO_XERO_BROKER_URL is set: events come by RabbitMQ"
            )
        if settings.event_keys is not None and not settings.event_keys:
            raise SettingsError(
                "QONTO_XERO_EVENT_KEYS is not set: name the keys that events are signed with, or say"
                " QONTO_XERO_EVENT_SIGNATURES=off to take unsigned ones"
            )
        workbench = _prepared(settings, pool_size=LISTENER_POOL)
        check_broker(settings.events_broker_url)
        consumer = event_listener(settings.events_broker_url, workbench)
        checks = broker(settings.events_broker_url), own(listener=consumer.why_not_working)
        with monitored("listener", settings, workbench, stop, *checks):
            consumer.run(stop)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65_535))
def web(host: str, port: int) -> None:
    """Serve the page on which a customer connects and disconnects Xero, until SIGTERM. Any number may run.

    Browsers find it at QONTO_XERO_WEB_URL, through a proxy that speaks https; Qonto and Xero send them back there, to
    /qonto/callback and /xero/callback, which must be registered at both.
    """
    start_log()
    stop = stop_on_signal()
    with told_clearly():
        settings = the_settings()
        for name, value in (("XERO_CLIENT_ID", settings.xero_client_id), ("QONTO_CLIENT_ID", settings.qonto_client_id)):
            if not value:
                raise SettingsError(f"QONTO_XERO_{name} is not set: nobody could sign in")
        workbench = _prepared(settings, pool_size=PAGE_POOL)
        server = Server(Site(workbench, settings.web_url), settings.web_proxies)
        with monitored("web", settings, workbench, stop, own(page=server.why_not_working)):
            _serve(server, host, port, stop)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8090, show_default=True, type=click.IntRange(1, 65_535))
def operations(host: str, port: int) -> None:
    """Serve the night as a picture to those who run it, until SIGTERM. Any number may run, and none is needed.

    A browser asks for a login: any name, and the password of QONTO_XERO_OPERATIONS_PASSWORD, or of the file that
    QONTO_XERO_OPERATIONS_PASSWORD_FILE names. For people inside: elsewhere than on this machine, put https before it.
    """
    start_log()
    stop = stop_on_signal()
    with told_clearly():
        settings = the_settings()
        if not settings.operations_password:
            raise SettingsError("QONTO_XERO_OPERATIONS_PASSWORD is not set: whoever runs it logs in with that password")
        workbench = _prepared(settings, pool_size=OPERATIONS_POOL)
        server = Server(OperationsSite(workbench.clock, settings.operations_password, host))
        with monitored("operations", settings, workbench, stop, own(page=server.why_not_working)):
            _serve(server, host, port, stop)


def _serve(server: Server[P], host: str, port: int, stop: Event) -> None:
    try:
        server.run(host, port, stop)
    except OSError as error:
        raise Failure(f"cannot listen on {host}:{port}: {error.strerror}", UNREACHABLE) from error


def _check_xero_knows_us(settings: Settings) -> None:
    """Raises SettingsError where no token could be refreshed: each night would fail, and only then be noticed."""
    if not settings.xero_client_id:
        raise SettingsError(
            "QONTO_XERO_XERO_CLIENT_ID is not set: Xero refuses whoever does not say which app they are"
        )


def _prepared(settings: Settings, pool_size: int) -> Workbench:
    """A workbench over a database that is there, up to date, and readable with our keys."""
    configure(settings.database_url, pool_size=pool_size)
    workbench = make_workbench(settings)
    with connected():
        check_schema()
        check_keys(workbench.keyring)
    return workbench
