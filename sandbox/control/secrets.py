"""/control/secrets: what nobody must ever see, so that a test can look for it everywhere."""

from collections.abc import Iterable, Iterator
from itertools import islice

from sandbox.control.answers import Wrong
from sandbox.qonto.bank import CLIENT_SECRET as QONTO_SECRET
from sandbox.qonto.organisation import Organisation
from sandbox.wire import Answer, Call, json_answer
from sandbox.world import World
from sandbox.xero.office import CLIENT_SECRET as XERO_SECRET

_MOST_ORGANISATIONS = 100  # whoever asks looks for its own, which are the newest
_MOST_WORDS = 500
_MOST_OF_ONE = 50


def show(world: World, call: Call) -> Answer:
    """Tokens and codes made since `after`, by their secret part; keys, IBANs and words of the newest organisations.

    `last` is the next `after`.
    """
    after = call.parameter("after") or "0"
    if not after.isdigit():
        raise Wrong("after must be a number.")
    organisations = list(islice(reversed(world.bank.organisations.values()), _MOST_ORGANISATIONS))
    ibans = [account.iban for one in organisations for account in one.accounts.values()]
    keys = [organisation.secret for organisation in organisations]
    told = world.ids.told
    return json_answer(
        {
            "last": len(told),
            "secrets": sorted({*told[int(after) :], *keys, QONTO_SECRET, XERO_SECRET}),
            "ibans": sorted({*ibans}),
            "words": sorted(islice(_words(organisations), _MOST_WORDS)),
        }
    )


def _words(organisations: Iterable[Organisation]) -> Iterator[str]:
    for organisation in organisations:
        yield from (person.name for person in organisation.people.values())
        yield from islice(dict.fromkeys(row.label for row in organisation.transactions()), _MOST_OF_ONE)
