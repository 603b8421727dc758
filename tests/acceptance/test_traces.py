"""Traces: what a collector gets to see, that it is nobody's word, and that no work waits for it."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from threading import enumerate as threads

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

import tracing
from tests.acceptance import processes
from tests.acceptance.processes import NIGHT, Company, at, payments
from tests.canaries import Canaries
from tests.checker import reader
from tests.sandbox.world_client import WorldClient
from tests.servers.processes import wait_until
from tracing import span, tracing_to

pytestmark = pytest.mark.acceptance

town_url, town = processes.town_url, processes.town
migrated_file, small_company = processes.migrated_file, processes.small_company


class Collector(ThreadingHTTPServer):
    """Takes traces on a free port of loopback, and keeps their bytes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Take)
        self.bodies: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def spans(self) -> list[Span]:
        """Every span that has arrived."""
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        resources = [resource for request in requests for resource in request.resource_spans]
        return [found for resource in resources for scope in resource.scope_spans for found in scope.spans]


class _Take(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        assert self.path == "/v1/traces"
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def attributes(found: Span) -> dict[str, str | int]:
    return {
        pair.key: pair.value.int_value if pair.value.HasField("int_value") else pair.value.string_value
        for pair in found.attributes
    }


def test_a_night_is_seen_by_its_ids_and_by_nothing_of_a_customer(
    small_company: Company, town: WorldClient, collector: Collector
) -> None:
    small_company.settings["TRACES_URL"] = collector.url
    canaries = Canaries(reader(town))
    party = town.organisation(name="Canary Company Name")
    party.pay(*payments(3))
    small_company.connect_at_once(party)
    scheduler = small_company.start("scheduler")
    at(town, NIGHT)
    done = "SELECT id FROM sync_run WHERE kind = 'nightly' AND state = 'done'"
    small_company.until(lambda: bool(small_company.query_file(done)), "the night to be done")
    scheduler.end(signal.SIGTERM)
    scheduler.end(signal.SIGTERM)

    ((run_id,),) = small_company.query_file(done)
    spans = collector.spans()
    jobs = {found.span_id: attributes(found) for found in spans if found.name == "job"}
    of_the_night = {span_id for span_id, told in jobs.items() if told["run_id"] == run_id}
    assert {tuple(jobs[span_id]) for span_id in of_the_night} == {("lane", "message_id", "actor", "run_id")}
    calls = [(found.parent_span_id, attributes(found)) for found in spans if found.name == "call"]
    assert {"method": "PUT", "peer": "xero", "status": 200} in [call for job, call in calls if job in of_the_night]
    assert [call for parent, call in calls if call["peer"] != "other" and parent not in jobs] == []
    assert {tuple(call) for _, call in calls} == {("method", "peer", "status")}

    seen = b"".join(collector.bodies).decode("latin-1")
    assert canaries.seen_in([("a trace", seen)], words=True) == []
    for unwanted in ("http://", "https://", "Canary", "Payment 1", party.id, party.tenant):
        assert unwanted not in seen.replace(collector.url, "")


def test_an_error_is_named_by_its_kind_and_not_quoted(collector: Collector) -> None:
    with tracing_to(collector.url, "test"), pytest.raises(ValueError, match="hunter2"), span("job", run_id=7):
        raise ValueError("hunter2")

    (found,) = collector.spans()
    assert attributes(found) == {"run_id": 7, "error.type": "ValueError"}
    assert b"hunter2" not in b"".join(collector.bodies)


def test_without_a_collector_nothing_is_made(collector: Collector) -> None:
    before = {thread.name for thread in threads()}

    with tracing_to("", "test"), span("job", run_id=7) as note:
        note(status=200)
        assert {thread.name for thread in threads()} == before

    assert collector.bodies == []


def test_no_process_waits_long_for_a_collector_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "EXPORT_SECONDS", 600)
    monkeypatch.setattr(tracing, "FAREWELL_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with tracing_to(f"http://127.0.0.1:{silent.getsockname()[1]}", "test"):
            with span("job", run_id=7):
                pass
            ending = time.monotonic()
        assert time.monotonic() - ending < 300, "it waited for the collector"
    leaving = {"traces", "OtelBatchSpanRecordProcessor"}
    wait_until(lambda: not leaving & {thread.name for thread in threads()}, seconds=20, what="its threads to end")
