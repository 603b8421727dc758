"""Points in time as integer milliseconds since 1970 UTC, and their texts."""

from datetime import UTC, date, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
SECOND_MS = 1_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000


def parse_instant(text: str) -> int:
    """Milliseconds of an ISO 8601 text; without an offset it is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MILLISECOND


def instant_text(ms: int) -> str:
    """`2026-11-20T22:00:00.000Z`, the form Qonto writes."""
    seconds, rest = divmod(ms, SECOND_MS)
    return f"{_second_text(seconds)}.{rest:03d}Z"


def xero_identity_text(ms: int) -> str:
    """`2019-07-09T23:40:30.1830000`: seven digits and no zone, the form of Xero's /connections."""
    seconds, rest = divmod(ms, SECOND_MS)
    return f"{_second_text(seconds)}.{rest:03d}0000"


def date_of(ms: int) -> date:
    """The UTC calendar date of an instant."""
    return (_EPOCH + timedelta(milliseconds=ms)).date()


def midnight_ms(day: date) -> int:
    """Midnight UTC of a calendar date."""
    return (day.toordinal() - _EPOCH.toordinal()) * DAY_MS


def _second_text(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()[:19]
