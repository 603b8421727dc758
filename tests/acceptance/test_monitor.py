"""What watches a process over HTTP, on a port: what it may ask, and that it can do no harm."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from http.client import HTTPConnection, HTTPResponse
from threading import Event
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result

from cli import main
from models.database import configure, connected
from monitoring import server
from monitoring.checks import own
from monitoring.readiness import Check, Readiness
from monitoring.server import Views, serving
from monitoring.views import views
from settings import Address
from tests.factories import NOW, make_inbox_event
from tests.servers.processes import wait_until

HERE = Address("127.0.0.1", 0)
Serve = Callable[[Views], str]


def fail() -> str:
    raise ValueError("hunter2")


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves views for the length of a test, and gives the URL."""
    with ExitStack() as stack:
        yield lambda shown: stack.enter_context(serving(HERE, shown))


@pytest.fixture
def stop() -> Event:
    """Set once the process has been told to end."""
    return Event()


@pytest.fixture
def process(serve: Serve, stop: Event, sqlite_url: str) -> Callable[..., str]:
    """A process whose own checks are given; its URL."""
    configure(sqlite_url)
    return lambda **checks: serve(views(Readiness([own(**checks)]), lambda: NOW, stop))


HANG_SECONDS = 600


def ask(url: str, path: str, method: str = "GET") -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=HANG_SECONDS)
    connection.request(method, path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def ready(url: str, *options: str) -> Result:
    return CliRunner().invoke(main, ["ready", *options], env={"QONTO_XERO_MONITOR": urlsplit(url).netloc})


def test_a_process_is_ready_while_every_check_says_so(process: Callable[..., str]) -> None:
    answer, body = ask(process(worker=lambda: "", page=lambda: ""), "/readyz")

    assert (answer.status, json.loads(body)) == (200, {"ready": True, "checks": {"worker": "ok", "page": "ok"}})


@pytest.mark.parametrize(("check", "words"), [(lambda: "is away", "is away"), (fail, "ValueError")])
def test_a_process_is_not_ready_when_one_check_says_no_and_why(
    process: Callable[..., str], check: Check, words: str
) -> None:
    answer, body = ask(process(worker=lambda: "", page=check), "/readyz")

    assert (answer.status, json.loads(body)) == (503, {"ready": False, "checks": {"worker": "ok", "page": words}})


def test_a_process_that_drains_lives_and_takes_no_more_work(process: Callable[..., str], stop: Event) -> None:
    url = process(worker=lambda: "")
    stop.set()

    answer, body = ask(url, "/readyz")
    assert (answer.status, json.loads(body)["checks"]) == (503, {"process": "draining"})
    assert ask(url, "/livez")[0].status == 200


def test_metrics_are_told_as_prometheus_reads_them(process: Callable[..., str]) -> None:
    answer, body = ask(process(), "/metrics")

    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert b"# TYPE qonto_xero_jobs_total counter\n" in body


def test_a_promise_is_broken_once_more_than_ten_events_have_waited_for_five_minutes(
    process: Callable[..., str],
) -> None:
    url = process()
    with connected():
        for _ in range(10):
            make_inbox_event(received_at=NOW - timedelta(minutes=6))
        make_inbox_event(received_at=NOW - timedelta(minutes=4))
        make_inbox_event(received_at=NOW - timedelta(minutes=60), handled_at=NOW)
    assert ask(url, "/slo")[0].status == 200

    with connected():
        make_inbox_event(received_at=NOW - timedelta(minutes=6))
    answer, body = ask(url, "/slo")

    assert answer.status == 503
    late = "11 events of Qonto's core have waited for more than 5 minutes"
    assert json.loads(body) == {"kept": False, "promises": {"events": late}}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "FOO"])
def test_nothing_but_get_is_answered(process: Callable[..., str], method: str) -> None:
    answer, body = ask(process(), "/livez", method)

    assert (answer.status, answer.headers["Allow"], body) == (405, "GET", b"")


@pytest.mark.parametrize("path", ["/", "/livez/", "/metrics/../livez", "/%00", "/<script>"])
def test_what_is_not_there_is_not_quoted(process: Callable[..., str], path: str) -> None:
    answer, body = ask(process(), path)

    assert (answer.status, body) == (404, b"")
    assert "Python" not in answer.headers["Server"]


def test_what_goes_wrong_is_told_to_the_log_alone(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> server.Shown:
        raise ValueError("hunter2")

    answer, body = ask(serve({"/broken": broken}), "/broken")

    assert (answer.status, body) == (500, b"")
    assert "hunter2" in caplog.text


def test_no_request_is_logged(process: Callable[..., str], caplog: pytest.LogCaptureFixture) -> None:
    url = process()
    caplog.set_level(logging.DEBUG)
    caplog.clear()

    ask(url, "/livez")
    ask(url, "/nowhere")

    assert caplog.text == ""


def test_who_speaks_slowly_is_sent_away(process: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "WHOLE_SECONDS", 0.3)
    monkeypatch.setattr(server._Handler, "timeout", HANG_SECONDS)  # silence alone ends nothing
    url = urlsplit(process())
    with socket.create_connection((url.hostname or "", url.port or 0), timeout=HANG_SECONDS) as slow:
        slow.sendall(b"GET /livez HTTP/1.1\r\n")
        assert slow.recv(100) == b""


def test_a_crowd_is_turned_away_and_leaves_room_again(process: Callable[..., str]) -> None:
    url = process()
    address = (urlsplit(url).hostname or "", urlsplit(url).port or 0)
    with ExitStack() as crowd:
        for _ in range(server.MOST_AT_ONCE):
            crowd.enter_context(socket.create_connection(address, timeout=HANG_SECONDS))
        late = crowd.enter_context(socket.create_connection(address, timeout=HANG_SECONDS))
        assert late.recv(100) == b""

    def answers() -> bool:
        try:
            return ask(url, "/livez")[0].status == 200
        except OSError:
            return False

    wait_until(answers, seconds=5, what="room for one more")


def test_ready_shows_each_check_and_exits_by_what_they_say(process: Callable[..., str], stop: Event) -> None:
    well, ill = process(worker=lambda: ""), process(worker=lambda: "is away")

    assert (ready(well).exit_code, ready(well).stdout) == (0, "check\tsays\nworker\tok\n")
    assert (ready(ill).exit_code, ready(ill).stdout) == (1, "check\tsays\nworker\tis away\n")
    assert json.loads(ready(ill, "--json").stdout) == {"ready": False, "checks": {"worker": "is away"}}
    assert ready(ill, "--live").exit_code == 0


def test_a_process_that_listens_everywhere_is_asked_here(process: Callable[..., str]) -> None:
    assert ready(f"http://0.0.0.0:{urlsplit(process()).port}").exit_code == 0


def test_ready_says_when_nobody_answers_or_it_is_not_told_whom_to_ask(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    strange = serve({"/readyz": lambda: server.Shown(200, "text/plain", b"[]")})

    assert ready(nobody).exit_code == ready(strange).exit_code == 3
    for unknown in ("http://off", "http://127.0.0.1:0"):
        refused = ready(unknown)
        assert (refused.exit_code, "QONTO_XERO_MONITOR" in refused.output) == (4, True)
