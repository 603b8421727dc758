"""What every process that goes on shows of itself while it runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Event

from commands.frame import UNREACHABLE, Failure
from monitoring.checks import database
from monitoring.readiness import Group, Readiness
from monitoring.server import serving
from monitoring.views import views
from services.workbench import Workbench
from settings import Settings
from tracing import tracing_to

CONNECTIONS = 2  # to the database, for /readyz and for /slo


@contextmanager
def monitored(process: str, settings: Settings, workbench: Workbench, stop: Event, *groups: Group) -> Iterator[None]:
    """Inside the block the process tells how it is at the address of QONTO_XERO_MONITOR, and sends its traces.

    `groups` are its checks beside those of the database. It drains once `stop` is set.
    """
    with tracing_to(settings.traces_url, process), _served(settings, workbench, stop, groups):
        yield


def _served(
    settings: Settings, workbench: Workbench, stop: Event, groups: Sequence[Group]
) -> AbstractContextManager[object]:
    if settings.monitor is None:
        return nullcontext()
    readiness = Readiness([database(workbench.keyring), *groups])
    try:
        return serving(settings.monitor, views(readiness, workbench.clock, stop))
    except OSError as error:
        wanted = f"{settings.monitor.host}:{settings.monitor.port}"
        raise Failure(
            f"QONTO_XERO_MONITOR: cannot listen on {wanted}: {error.strerror or error}", UNREACHABLE
        ) from error
