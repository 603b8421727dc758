"""Traces: a span for each job, each call to Xero or Qonto and each page, sent to whoever collects them. Off by default.

No span holds a customer's name, a token or an amount: ids of ours, HTTP methods, states and durations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

TRACES = "/v1/traces"  # where an OTLP collector takes them (opentelemetry.io, OTLP/HTTP)
EXPORT_SECONDS = 5  # for a batch; while a collector is away, spans are dropped and no work waits
FAREWELL_SECONDS = 2.0  # for the last spans when a process ends

Note = Callable[..., None]  # adds attributes, by name, to a span


class _Tracing:
    """The process's tracer; `None` makes no spans."""

    tracer: trace.Tracer | None = None


@contextmanager
def tracing_to(collector_url: str, process: str) -> Iterator[None]:
    """Inside the block this process's spans go to a collector (OTLP over HTTP); empty: nothing is made or sent."""
    if not collector_url:
        yield
        return
    resource = Resource.create({"service.name": "qonto-xero-sync", "process": process})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(collector_url + TRACES, timeout=EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _Tracing.tracer = provider.get_tracer("qonto-xero-sync")
    try:
        yield
    finally:
        _Tracing.tracer = None
        # On a thread, because the SDK would wait for a collector that does not answer for half a minute.
        farewell = Thread(target=provider.shutdown, name="traces", daemon=True)
        farewell.start()
        farewell.join(FAREWELL_SECONDS)


@contextmanager
def span(name: str, **attributes: str | int) -> Iterator[Note]:
    """What happens inside the block is a span of this name. An exception is noted by its type alone."""
    if _Tracing.tracer is None:
        yield _nowhere
        return
    with _Tracing.tracer.start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as made:
        try:
            yield lambda **more: made.set_attributes(more)
        except BaseException as error:
            made.set_attribute("error.type", type(error).__name__)
            made.set_status(trace.StatusCode.ERROR)
            raise


def _nowhere(**_: str | int) -> None:
    """Where attributes go that belong to no span."""
