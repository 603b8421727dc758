"""The page, broken on purpose."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

ACCESS_TESTS = "tests/acceptance/test_page_access.py"
CALLBACK_TESTS = "tests/acceptance/test_page_callbacks.py"
JOURNEY_TESTS = "tests/acceptance/test_page_journey.py"

PAGE = (
    Mutation(
        "state_of_anybody",
        "whoever has a state comes back with it, whose session it may be",
        "models/authorisation.py",
        "        & (Authorisation.session_id == session_id)\n        & (Authorisation.side == side)\n",
        "        & (Authorisation.side == side)\n",
        (f"{CALLBACK_TESTS}::test_whoever_comes_back_with_something_else_is_asked_to_start_again",),
    ),
    Mutation(
        "state_works_twice",
        "a state that was used is taken again",
        "services/authorise.py",
        "    if not use(found, now):\n",
        "    if False:\n",
        (f"{CALLBACK_TESTS}::test_a_state_works_once",),
    ),
    Mutation(
        "role_of_the_morning",
        "who may decide is asked once a session",
        "web/site.py",
        "        if asked.route.who is Who.MEMBER:\n            visit.admit()\n",
        "        if asked.route.who is Who.MEMBER:\n            visit.person()\n",
        (f"{ACCESS_TESTS}::test_whoever_may_not_decide_is_refused_everywhere_and_told_who_can",),
    ),
    Mutation(
        "any_tenant",
        "a form names a Xero organisation that the login was not asked about",
        "web/connecting.py",
        "    if choice is None:\n        raise CannotConnect(NotConnected.NOT_CHOSEN",
        "    if False:\n        raise CannotConnect(NotConnected.NOT_CHOSEN",
        (f"{ACCESS_TESTS}::test_a_xero_organisation_that_the_login_does_not_reach_cannot_be_named",),
    ),
    Mutation(
        "any_form",
        "a form is taken that no page of this session had",
        "web/site.py",
        "            check_form(visit)\n",
        "",
        (f"{ACCESS_TESTS}::test_a_form_that_is_not_of_this_session_changes_nothing",),
    ),
    Mutation(
        "own_secrets_forgotten",
        "whoever reconnects in the session that connected erases what it has just stored",
        "services/connect.py",
        "    forget([*former - {qonto.id, xero.id}])\n",
        "    forget([*former])\n",
        (f"{JOURNEY_TESTS}::test_whoever_reconnects_in_the_session_that_connected_is_connected[sqlite]",),
    ),
)
