"""Every mutation that must be caught."""

from __future__ import annotations

from tests.mutations.accounts import ACCOUNTS_IN_XERO
from tests.mutations.breaking import BREAKING
from tests.mutations.clocks_and_leases import CLOCKS_AND_LEASES
from tests.mutations.decoding import DECODING
from tests.mutations.following import FOLLOWING
from tests.mutations.leaving import LEAVING
from tests.mutations.looking_twice import LOOKING_TWICE
from tests.mutations.memory import MEMORY
from tests.mutations.messages import MESSAGES
from tests.mutations.mutation import Mutation
from tests.mutations.odd_lists import ODD_LISTS
from tests.mutations.operations import OPERATIONS
from tests.mutations.page import PAGE
from tests.mutations.posting import POSTING
from tests.mutations.proof import PROOF
from tests.mutations.queues import QUEUES
from tests.mutations.sending import SENDING
from tests.mutations.telling import TELLING
from tests.mutations.wires import WIRES
from tests.mutations.zones_and_limits import ZONES_AND_LIMITS

MUTATIONS: tuple[Mutation, ...] = (
    *MESSAGES,
    *ACCOUNTS_IN_XERO,
    *SENDING,
    *POSTING,
    *CLOCKS_AND_LEASES,
    *WIRES,
    *MEMORY,
    *FOLLOWING,
    *LEAVING,
    *TELLING,
    *PAGE,
    *OPERATIONS,
    *LOOKING_TWICE,
    *PROOF,
    *ZONES_AND_LIMITS,
    *DECODING,
    *BREAKING,
    *QUEUES,
    *ODD_LISTS,
)
