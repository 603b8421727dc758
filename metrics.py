"""Every metric of ours, by its name in Prometheus. What a process counts itself, and what the scheduler reads for all.

No label holds a name, an id or a word of a customer: each takes one of a few values that stand in the code or the
settings. Durations are seconds.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram, generate_latest

FAST = (0.005, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30, 45)
SLOW = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600)

# What each process counts.
JOBS = Counter("qonto_xero_jobs", "Messages that were worked on", ("lane", "outcome"))
JOB_SECONDS = Histogram("qonto_xero_job_seconds", "How long a message was worked on", ("lane",), buckets=SLOW)
JOBS_RUNNING = Gauge("qonto_xero_jobs_running", "Messages that are being worked on", ("lane",))
REQUESTS = Counter("qonto_xero_requests", "Calls to Xero and Qonto; code none had no answer", ("peer", "code"))
REQUEST_SECONDS = Histogram("qonto_xero_request_seconds", "How long a call took", ("peer",), buckets=FAST)
PAGE_REQUESTS = Counter("qonto_xero_page_requests", "Requests to a page of ours", ("route", "method", "code"))
PAGE_SECONDS = Histogram("qonto_xero_page_seconds", "How long a page took to make", ("route",), buckets=FAST)
TOKEN_REFRESHES = Counter("qonto_xero_token_refreshes", "Refreshes of an access token", ("peer", "result"))
LEASE_TAKEOVERS = Counter("qonto_xero_lease_takeovers", "Leases taken from a worker that did not give them back")
FENCE_REJECTED = Counter("qonto_xero_fence_rejected", "Writes refused because another worker had taken over")
PUBLISHED = Counter("qonto_xero_messages_published", "Outbox rows given to the broker", ("outbox", "result"))
EVENTS_RECEIVED = Counter("qonto_xero_events_received", "Events of Qonto's core", ("result",))
SCHEDULER_SUCCESS = Gauge(
    "qonto_xero_scheduler_last_success_timestamp_seconds", "When this scheduler last looked for runs that fall due"
)

# What the scheduler reads from the database, for the whole fleet: each scheduler tells the same, so take the maximum.
SEEN_AT = Gauge("qonto_xero_fleet_seen_timestamp_seconds", "When what follows was last read from the database")
NIGHTS = Gauge("qonto_xero_organisation_nights", "Tonight's runs", ("state",))
NIGHT_DONE_RATIO = Gauge("qonto_xero_night_done_ratio", "Share of tonight's runs that are over and done, 1 without any")
NIGHT_AGE = Gauge("qonto_xero_night_age_seconds", "Since tonight's first 23:00")
DEADLINE_REMAINING = Gauge("qonto_xero_deadline_remaining_seconds", "Until tonight's last 23:30; negative after it")
POSTED_TONIGHT = Gauge("qonto_xero_night_posted", "Transactions that tonight's runs brought into Xero")
POSTINGS = Gauge("qonto_xero_postings", "Transactions that are not settled in Xero", ("state",))
UNCERTAIN_OLDEST = Gauge("qonto_xero_posting_uncertain_oldest_seconds", "Age of the oldest uncertain transaction")
OUTBOX_PENDING = Gauge("qonto_xero_outbox_pending", "Outbox rows that are not published", ("outbox",))
OUTBOX_OLDEST = Gauge("qonto_xero_outbox_oldest_seconds", "Age of the oldest of them", ("outbox",))
LANE_WAITING = Gauge("qonto_xero_lane_waiting", "Runs whose time has come and that no worker has", ("lane",))
LANE_OLDEST = Gauge("qonto_xero_lane_oldest_seconds", "How long the oldest of them has waited", ("lane",))
WORKING = Gauge("qonto_xero_organisations_working", "Organisations that a worker has a lease of")
APP_CALLS_LEFT = Gauge("qonto_xero_app_calls_left", "Of our calls to Xero in any 60 seconds, all organisations")
DAY_CALLS_LEFT = Gauge("qonto_xero_day_calls_left_min", "The least that an organisation has left of its day at Xero")
QONTO_CALLS_LEFT = Gauge("qonto_xero_qonto_calls_left", "Of our calls to Qonto, by the tighter of its two limits")
UNKNOWN_ZONES = Gauge("qonto_xero_unknown_time_zones", "Organisations whose time zone is unknown, up to twenty")
PAUSED = Gauge("qonto_xero_tenants_paused", "Xero organisations that asked us to wait")
CIRCUIT_OPEN = Gauge("qonto_xero_circuit_open", "1 while Xero answers nobody and we only probe")
CONNECTIONS = Gauge("qonto_xero_connections", "Connections that have not ended", ("state",))
ACCESS_REFUSED = Gauge("qonto_xero_access_refused", "Live connections that Qonto or Xero refuses for now")
ENDS_HELD_BACK = Gauge("qonto_xero_ends_held_back", "Those of them whose end the fleet brake holds back")
QUARANTINED = Gauge("qonto_xero_quarantine_unsettled", "What waits in quarantine for a person")
QUARANTINED_OLDEST = Gauge("qonto_xero_quarantine_oldest_seconds", "Age of the oldest of it")
EVENTS_UNHANDLED = Gauge("qonto_xero_events_unhandled", "Events of Qonto's core that nobody has followed")
EVENTS_OLDEST = Gauge("qonto_xero_events_oldest_seconds", "Age of the oldest of them")
INVARIANT_VIOLATIONS = Gauge("qonto_xero_invariant_violations", "What the newest check found", ("name",))
INVARIANTS_CHECKED = Gauge("qonto_xero_invariants_checked_timestamp_seconds", "When invariants were last checked")


def exposition() -> bytes:
    """All of them as Prometheus reads them (text format 0.0.4)."""
    return generate_latest()
