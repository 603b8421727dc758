"""What one request is: one request."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

HTTP = "tests/contract/test_http.py"
WIRE = "tests/acceptance/test_one_request.py"

WIRES = (
    Mutation(
        "redirects_followed",
        "an answer may send our request elsewhere",
        "clients/http.py",
        "_Session()\n",
        "requests.Session()\n",
        (f"{HTTP}::test_a_redirect_is_refused_whatever_its_location",),
    ),
    Mutation(
        "a_read_without_a_deadline",
        "an answer that arrives byte by byte is waited for without end",
        "clients/http.py",
        "if remaining <= 0:",
        "if remaining <= -math.inf:",
        (f"{HTTP}::test_an_answer_that_drips_is_given_up_wherever_it_drips",),
    ),
    Mutation(
        "retries_in_the_library",
        "the HTTP library sends again behind our back",
        "clients/http.py",
        "max_retries=0",
        "max_retries=3",
        (f"{WIRE}::test_what_got_no_answer_is_sent_once",),
    ),
)
