"""Postings: one row a transaction for ever, and a story that matches every step."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from peewee import IntegrityError
from playhouse.shortcuts import model_to_dict

from models.database import transaction
from models.due_posting import due_alone, due_together, is_any_due
from models.posting import Posting, PostingEvent, count_by_state, insert_new, members, move, move_into_xero
from models.posting_batch import open_batches
from models.states import BatchState, PostingState
from tests.factories import NOW, make_connection, make_posting_batch
from tests.integration.conftest import AtOnce

MakePostings = Callable[..., list[Posting]]
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def row(make_postings: MakePostings) -> dict[str, Any]:
    """A posting's columns, as `insert_new` takes them, of a transaction that is not stored."""
    (posting,) = make_postings({})
    posting.delete_instance()
    columns: dict[str, Any] = model_to_dict(posting)
    del columns["id"]
    return columns


@pytest.fixture
def story() -> Callable[[Posting], list[tuple[Any, ...]]]:
    """A posting's events, in order."""

    def read(posting: Posting) -> list[tuple[Any, ...]]:
        events = PostingEvent.select().where(PostingEvent.posting_id == posting.id).order_by(PostingEvent.id)
        return [(event.at, event.state, event.reason, event.detail, event.batch_id) for event in events]

    return read


def test_a_transaction_is_stored_once_however_often_it_is_read(row: dict[str, Any]) -> None:
    assert insert_new([row, row | {"transaction_id": "b"}], NOW) == 2
    assert insert_new([row, row | {"transaction_id": "c"}, row | {"transaction_id": "c"}], NOW) == 1

    assert Posting.select().count() == 3


def test_what_is_stored_is_not_changed_by_reading_it_again(row: dict[str, Any]) -> None:
    insert_new([row | {"state": PostingState.DELETED}], NOW)

    assert insert_new([row | {"label": "another", "amount_cents": 1}], NOW) == 0

    (posting,) = Posting.select()
    assert (posting.state, posting.label, posting.amount_cents) == ("deleted_in_xero", row["label"], 4730)


def test_another_xero_organisation_starts_its_own_books(row: dict[str, Any]) -> None:
    assert insert_new([row, row | {"tenant_id": "another"}], NOW) == 2


def test_nothing_new_is_nothing_stored(database: str) -> None:
    assert insert_new([], NOW) == 0


def test_many_rows_are_all_stored_and_counted(row: dict[str, Any]) -> None:
    rows = [row | {"transaction_id": str(n)} for n in range(2_000)]

    assert insert_new(rows, NOW) == len(rows)
    assert Posting.select().count() == len(rows)


def test_two_readers_of_the_same_page_store_each_transaction_once(row: dict[str, Any], at_once: AtOnce) -> None:
    page = [row | {"transaction_id": str(n)} for n in range(100)]

    new = at_once([lambda: insert_new(page, NOW)] * 4)

    assert sum(new) == Posting.select().count() == 100


def test_a_move_changes_what_was_selected_and_tells_it(make_postings: MakePostings, story: Any) -> None:
    first, second, other = make_postings({}, {}, {"state": PostingState.POSTED})

    moved = move(Posting.state == PostingState.DUE, PostingState.HELD, LATER, reason="lock_date", detail="until spring")

    assert moved == 2
    for posting in (first, second):
        now = Posting.get_by_id(posting.id)
        assert (now.state, now.reason, now.reason_detail, now.changed_at) == (
            "held",
            "lock_date",
            "until spring",
            LATER,
        )
        assert story(posting) == [(LATER, "held", "lock_date", "until spring", None)]
    assert Posting.get_by_id(other.id).state == "posted"
    assert story(other) == []


def test_a_move_that_selects_nothing_tells_nothing(make_postings: MakePostings, story: Any) -> None:
    (posting,) = make_postings({})

    assert move(Posting.state == PostingState.POSTED, PostingState.DELETED, LATER) == 0
    assert story(posting) == []


def test_a_reason_does_not_outlive_the_state_it_was_given_for(make_postings: MakePostings) -> None:
    (posting,) = make_postings({"state": PostingState.HELD, "reason": "lock_date", "reason_detail": "until spring"})

    move(Posting.id == posting.id, PostingState.DUE, LATER)

    now = Posting.get_by_id(posting.id)
    assert (now.reason, now.reason_detail) == ("", "")


def test_the_story_names_the_batch_that_a_move_puts_a_posting_into(make_postings: MakePostings, story: Any) -> None:
    (posting,) = make_postings({"attempts": 1})

    move(Posting.id == posting.id, PostingState.SENDING, NOW, batch_id=7, attempts=Posting.attempts + 1)
    move(Posting.id == posting.id, PostingState.UNCERTAIN, LATER, detail="no answer")

    now = Posting.get_by_id(posting.id)
    assert (now.batch_id, now.attempts) == (7, 2)
    assert story(posting) == [(NOW, "sending", "", "", 7), (LATER, "uncertain", "", "no answer", 7)]


def test_a_story_is_taken_back_with_the_move_that_it_tells(make_postings: MakePostings, story: Any) -> None:
    (posting,) = make_postings({})

    with contextlib.suppress(RuntimeError), transaction():
        move(Posting.id == posting.id, PostingState.HELD, LATER)
        raise RuntimeError

    assert Posting.get_by_id(posting.id).state == "due"
    assert story(posting) == []


def test_what_is_due_comes_oldest_first_and_no_more_than_asked_for(make_postings: MakePostings) -> None:
    postings = make_postings(*({"settled_at": NOW - timedelta(hours=hours)} for hours in (1, 3, 2, 3)))
    make_postings({})
    connection_id = postings[0].connection_id

    due = due_together(connection_id, 3)

    assert [posting.id for posting in due] == [postings[n].id for n in (1, 3, 2)]


@pytest.mark.parametrize("state", [state for state in PostingState if state != PostingState.DUE])
def test_only_what_is_due_is_sent(make_postings: MakePostings, state: PostingState) -> None:
    (posting,) = make_postings({"state": state})

    assert due_together(posting.connection_id, 50) == []
    assert not is_any_due(posting.connection_id)


def test_what_must_travel_alone_is_not_among_what_travels_together(make_postings: MakePostings) -> None:
    first, alone, last = make_postings(*({"alone": alone} for alone in (False, True, False)))

    assert [posting.id for posting in due_together(first.connection_id, 50)] == [first.id, last.id]
    assert [posting.id for posting in due_alone(first.connection_id, 50)] == [alone.id]
    assert is_any_due(first.connection_id)


def test_xeros_ids_are_remembered_row_by_row(make_postings: MakePostings, story: Any) -> None:
    first, second, other = make_postings({}, {}, {})

    rows = [(first.id, "transaction-1", "account-1"), (second.id, "transaction-2", "account-2")]
    move_into_xero(rows, PostingState.POSTED, LATER, "found in Xero")

    kept = [(p.state, p.bank_transaction_id, p.xero_account_id) for p in Posting.select().order_by(Posting.id)]
    assert kept == [("posted", "transaction-1", "account-1"), ("posted", "transaction-2", "account-2"), ("due", "", "")]
    assert [story(posting) for posting in (first, second, other)] == [
        [(LATER, "posted", "", "found in Xero", None)],
        [(LATER, "posted", "", "found in Xero", None)],
        [],
    ]


def test_nothing_moves_when_nothing_is_told(make_postings: MakePostings, story: Any) -> None:
    (posting,) = make_postings({})

    move_into_xero([], PostingState.POSTED, LATER)

    assert (Posting.get_by_id(posting.id).state, story(posting)) == ("due", [])


def test_postings_are_counted_by_state_and_reason(make_postings: MakePostings) -> None:
    held = {"state": PostingState.HELD, "reason": "lock_date"}
    postings = make_postings({}, {}, held, held | {"reason": "contact_archived"})
    make_postings({})

    counts = count_by_state(Posting.connection_id == postings[0].connection_id)

    assert counts == {("due", ""): 2, ("held", "lock_date"): 1, ("held", "contact_archived"): 1}


def test_members_are_the_postings_of_these_batches(make_postings: MakePostings) -> None:
    first, second, _ = make_postings({"batch_id": 1}, {"batch_id": 2}, {"batch_id": 3})

    assert [posting.id for posting in members([2, 1])] == [second.id, first.id]
    assert members([]) == []


def test_batches_without_an_outcome_are_found_oldest_first_and_of_one_connection(database: str) -> None:
    connection = make_connection()
    batches = [make_posting_batch(connection_id=connection.id, state=state) for state in BatchState]
    make_posting_batch()

    found = [batch.id for batch in open_batches(connection.id)]

    assert found == [batch.id for batch in batches if batch.state != BatchState.RESOLVED]


def test_one_key_is_one_batch(database: str) -> None:
    make_posting_batch(key="key-1")

    with pytest.raises(IntegrityError, match=r"(?i)unique"):
        make_posting_batch(key="key-1")
