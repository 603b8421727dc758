"""Traces: a span for each job, each call to Xero or Qonto and each page, sent to whoever collects them. Off by default.

No span holds a customer's name, a token or an amount: ids of ours, HTTP methods, states and durations.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

TRACES = "/v1/traces"  # where an OTLP collector takes them (opentelemetry.io, OTLP/HTTP)


def trace_to(collector_url: str, process: str) -> None:
    """Send this process's spans to a collector (OTLP over HTTP) from now on; empty: nothing is made or sent."""
    if collector_url:
        provider = TracerProvider(resource=Resource.create({"service.name": "qonto-xero-sync", "process": process}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(collector_url + TRACES)))
        trace.set_tracer_provider(provider)


@contextmanager
def span(name: str, **attributes: str | int) -> Iterator[None]:
    """What happens inside the block is a span of this name. An exception is noted by its type alone."""
    tracer = trace.get_tracer("qonto-xero-sync")
    with tracer.start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as made:
        try:
            yield
        except Exception as error:
            made.set_attribute("error.type", type(error).__name__)
            made.set_status(trace.StatusCode.ERROR)
            raise
