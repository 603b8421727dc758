"""Accounts that follow Qonto: whom we believe, what we keep, and that the newest version counts."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

EVENTS = "tests/acceptance/test_account_events.py"
CONSUMER = "tests/messaging/test_event_consumer.py"
INBOX = "tests/integration/test_inbox.py"

FOLLOWING = (
    Mutation(
        "anybody_is_believed",
        "an event is taken whoever signed it",
        "services/receive_event.py",
        "        if refusal:\n",
        "        if not refusal and refusal:\n",
        (f"{EVENTS}::test_what_nobody_we_trust_has_signed_is_kept_sealed_and_does_nothing",),
    ),
    Mutation(
        "iban_in_clear",
        "the bytes of a quarantined event are stored as they came, with the IBAN in them",
        "models/quarantine.py",
        "payload=seal(kept, sealing_context(digest)) if seal else kept,",
        "payload=kept,",
        (f"{EVENTS}::test_what_nobody_we_trust_has_signed_is_kept_sealed_and_does_nothing",),
    ),
    Mutation(
        "acked_before_it_is_safe",
        "an event is acked before it is stored",
        "messaging/reader.py",
        """                    if self._is_received(deliveries[0].arrival, connection, stop):
                        channel.basic_ack(deliveries.popleft().tag)
""",
        """                    channel.basic_ack(deliveries[0].tag)
                    if self._is_received(deliveries[0].arrival, connection, stop):
                        deliveries.popleft()
""",
        (f"{CONSUMER}::test_what_was_being_received_when_the_connection_broke_comes_again",),
    ),
    Mutation(
        "outages_count",
        "an outage of the database counts against the message that met it",
        "messaging/reader.py",
        "            except self._outages as error:",
        "            except () as error:",
        (f"{CONSUMER}::test_a_message_is_held_while_the_outage_lasts_and_it_does_not_count_against_it",),
    ),
    Mutation(
        "an_event_is_the_truth",
        "what Qonto shows counts, even if it is older than the event",
        "domain/following.py",
        "event_version - seen.version >= SHOWN",
        "False",
        (f"{EVENTS}::test_an_event_from_the_future_keeps_no_run_open_for_ever",),
    ),
    Mutation(
        "older_over_newer",
        "an older version of an account, read later, overwrites a newer one",
        "services/store_accounts.py",
        "        where &= BankAccount.updated_at.is_null() | (BankAccount.updated_at <= version)\n",
        "",
        (f"{EVENTS}::test_an_older_version_that_qonto_shows_later_does_not_bring_a_closed_account_back",),
    ),
    Mutation(
        "left_behind",
        "an event that comes while its run ends is followed by nobody",
        "services/follow_accounts.py",
        "    return Verdict(RunState.RUNNING, at_once=True) if left else verdict",
        "    return verdict",
        (f"{EVENTS}::test_an_event_that_comes_while_the_run_is_about_to_end_is_not_left_behind",),
    ),
    Mutation(
        "lost_for_good",
        "an event whose message was lost is never announced again",
        "models/lost_messages.py",
        "return again + (announce_silent_events(missing, now) if lane == Lane.INTERACTIVE else 0)",
        "return again",
        (f"{EVENTS}::test_a_lost_message_is_sent_again_after_five_minutes",),
    ),
    Mutation(
        "closed_at_once",
        "a closed account is read once and never again, though rows are shown late",
        "domain/following.py",
        "LATE = timedelta(hours=1)",
        "LATE = timedelta(0)",
        (f"{EVENTS}::test_what_is_shown_late_of_a_closed_account_still_reaches_xero",),
    ),
    Mutation(
        "nobody_gives_way",
        "an account waits until the organisation's whole night is over",
        "services/job.py",
        "        return self.gives_way\n",
        "        return False\n",
        (f"{EVENTS}::test_the_night_gives_way_to_an_account_and_goes_on_after_it",),
    ),
    Mutation(
        "one_crew",
        "a person's job waits behind the night's, on the same threads",
        "messaging/worker.py",
        "for crew in (wanted & {Lane.INTERACTIVE}, wanted - {Lane.INTERACTIVE}) if crew]",
        "for crew in (wanted,) if crew]",
        ("tests/messaging/test_worker.py::test_no_person_waits_while_every_thread_of_the_night_is_busy",),
    ),
    Mutation(
        "a_header_stops_all",
        "a header that pika cannot read ends each connection that meets it",
        "messaging/header_values.py",
        "data.decode_value = read_value",
        "data.decode_value = _read_value",
        (f"{CONSUMER}::test_a_header_that_nobody_can_read_harms_neither_its_message_nor_another",),
    ),
    Mutation(
        "forged_cause",
        "whatever a publisher calls the cause of death goes into the quarantine's reason",
        "messaging/dead_letters.py",
        "if not isinstance(cause, str) or not CAUSE.fullmatch(cause):",
        "if not isinstance(cause, str):",
        ("tests/messaging/test_quarantine.py::test_a_cause_that_is_no_word_of_rabbitmqs_is_not_repeated",),
    ),
    Mutation(
        "stored_twice",
        "an event that is delivered again is another event",
        "models/inbox.py",
        "ON CONFLICT (source, event_id) DO NOTHING RETURNING id",
        "ON CONFLICT (source, event_id) DO UPDATE SET handled_at = NULL RETURNING id",
        (f"{INBOX}::test_an_event_that_is_delivered_again_is_stored_once_and_stays_as_it_was",),
    ),
)
