"""What every process that goes on shows of itself while it runs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from commands.frame import UNREACHABLE, Failure
from monitoring.checks import database
from monitoring.readiness import Group, Readiness
from monitoring.server import serving
from monitoring.views import views
from services.workbench import Workbench
from settings import Settings

log = logging.getLogger(__name__)

CONNECTIONS = 2  # to the database, for /readyz and for /slo


@contextmanager
def monitored(settings: Settings, workbench: Workbench, stop: Event, *groups: Group) -> Iterator[None]:
    """Inside the block the process tells how it is at the address of QONTO_XERO_MONITOR. It drains once `stop` is set.

    `groups` are its checks beside those of the database.
    """
    if settings.monitor is None:
        yield
        return
    readiness = Readiness([database(workbench.keyring), *groups])
    try:
        served = serving(settings.monitor, views(readiness, workbench.clock, stop))
    except OSError as error:
        wanted = f"{settings.monitor.host}:{settings.monitor.port}"
        raise Failure(
            f"QONTO_XERO_MONITOR: cannot listen on {wanted}: {error.strerror or error}", UNREACHABLE
        ) from error
    with served as url:
        log.info("how this process is: %s/readyz", url)
        yield
