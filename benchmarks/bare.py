"""A bare loop: read Qonto's pages, put batches to Xero, remember nothing. What posting costs without a record.

`python -m benchmarks.bare requests|sdk JOBS` reads its jobs from a file, says "ready", begins at the next line on
standard input and ends when all is sent; its last line is the seconds of processor time that this took.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import requests

from benchmarks.bare_job import BATCH_ROWS, PAGE_ROWS, TIMEOUT_SECONDS, Job, Sender, element
from benchmarks.bare_sdk import SdkSender


class RequestsSender:
    """Puts a batch with `requests`, over one session."""

    def __init__(self, session: requests.Session) -> None:
        self._session = session

    def send(self, job: Job, rows: list[dict[str, Any]]) -> None:
        answer = self._session.put(
            f"{job.url}/xero/api.xro/2.0/BankTransactions",
            params={"summarizeErrors": "false"},
            json={"BankTransactions": [element(job, row) for row in rows]},
            headers={
                "Authorization": f"Bearer {job.xero_token}",
                "xero-tenant-id": job.tenant_id,
                "Accept": "application/json",
            },
            timeout=TIMEOUT_SECONDS,
        )
        answer.raise_for_status()
        created = answer.json()["BankTransactions"]
        if any(row["StatusAttributeString"] != "OK" for row in created):
            raise RuntimeError(f"Xero refused rows: {created}")


def read_rows(session: requests.Session, job: Job) -> Iterator[dict[str, Any]]:
    """Every completed row of the account, page by page."""
    page: int | None = 1
    while page:
        answer = session.get(
            f"{job.url}/qonto/v2/transactions",
            params={
                "bank_account_id": job.account_id,
                "status[]": "completed",
                "sort_by": "updated_at:asc",
                "page": str(page),
                "per_page": str(PAGE_ROWS),
            },
            headers={"Authorization": job.qonto_key},
            timeout=TIMEOUT_SECONDS,
        )
        answer.raise_for_status()
        read = answer.json()
        yield from read["transactions"]
        page = read["meta"]["next_page"]


def run(session: requests.Session, sender: Sender, jobs: list[Job]) -> None:
    """One organisation after the other."""
    for job in jobs:
        read = list(read_rows(session, job))
        for start in range(0, len(read), BATCH_ROWS):
            sender.send(job, read[start : start + BATCH_ROWS])


def main(kind: str, file: str) -> None:
    """Wait for the word, then work."""
    jobs = msgspec.json.decode(Path(file).read_bytes(), type=list[Job])
    with requests.Session() as session:
        sender = SdkSender() if kind == "sdk" else RequestsSender(session)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        before = time.process_time()
        run(session, sender, jobs)
        sys.stdout.write(f"{time.process_time() - before}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
