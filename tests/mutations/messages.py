"""How messages go: nothing is called safe that is not, and nothing waits behind a job that runs."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

PUBLISHER = "tests/messaging/test_publisher.py"
CONFIRMS = "tests/messaging/test_confirms_of_jobs.py"
WORKER = "tests/messaging/test_worker.py"

MESSAGES = (
    Mutation(
        "jobs_unconfirmed",
        "a job publishes without waiting for RabbitMQ's confirm",
        "messaging/broker.py",
        "confirm_delivery=True",
        "confirm_delivery=False",
        (f"{CONFIRMS}::test_a_job_that_a_full_queue_refuses_is_not_taken_for_published",),
    ),
    Mutation(
        "outbox_unconfirmed",
        "what was handed to the socket counts as safe",
        "messaging/confirms.py",
        "self.answers: list[bool | None] = [None] * len(messages)",
        "self.answers: list[bool | None] = [True] * len(messages)",
        (f"{PUBLISHER}::test_an_unreachable_broker_is_named_without_its_password",),
    ),
    Mutation(
        "nack_is_ack",
        "a queue that refuses a message counts as having it",
        "messaging/confirms.py",
        "batch.answers[position] = isinstance(method, Basic.Ack)",
        "batch.answers[position] = True",
        (f"{PUBLISHER}::test_a_full_queue_refuses_and_the_publisher_says_which",),
    ),
    Mutation(
        "prefetch_2",
        "a worker fetches a second message while the first one runs",
        "messaging/worker.py",
        "worker.queue_prefetch = threads",
        "worker.queue_prefetch = threads + 1",
        (f"{WORKER}::test_stopping_lets_the_running_job_finish_and_nothing_waits_behind_it_in_memory",),
    ),
)
