"""Each runbook, lived through: the trouble that it is about, every command that it names, and what it promises."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from tests.acceptance import processes
from tests.acceptance.processes import Company
from tests.acceptance.runbooks import OPERATIONS, RUNBOOKS, Command, commands_in, headings_in, runbooks, services_in
from tests.acceptance.stage import Stage
from tests.acceptance.troubles import TROUBLES
from tests.compose import COMPOSE, SANDBOX, read_compose
from tests.sandbox.world_client import REPOSITORY, WorldClient

pytestmark = pytest.mark.acceptance

town_url, town = processes.town_url, processes.town
migrated_file, small_company = processes.migrated_file, processes.small_company

ALERTS = REPOSITORY / "deploy" / "prometheus" / "alerts.yml"
HEADINGS = [
    *("How you notice", "What it means for customers", "First look"),
    *("What to do", "How you know that it is over", "Afterwards"),
]
FEWEST_COMMANDS = 3
STALE = timedelta(days=365)  # by then people and their addresses are others
RUNBOOK_IDS = [path.stem for path in runbooks()]
PAGES = sorted(OPERATIONS.rglob("*.md"))


@pytest.fixture
def stage(small_company: Company, town: WorldClient) -> Stage:
    return Stage(small_company, town)


def test_every_runbook_is_lived_through_and_no_trouble_is_without_one() -> None:
    assert sorted(TROUBLES) == RUNBOOK_IDS


@pytest.mark.parametrize("name", RUNBOOK_IDS)
def test_what_a_runbook_says_does_what_it_promises(stage: Stage, name: str) -> None:
    trouble = TROUBLES[name](stage)
    meanwhile = list(trouble.meanwhile)

    for command in commands_in(RUNBOOKS / f"{name}.md"):
        if meanwhile and command.text.startswith(meanwhile[0][0]):
            meanwhile.pop(0)[1]()
        ran = stage.say(*command.with_values(trouble.values))
        assert ran.code == command.code, f"{command.text}: {ran.out}{ran.err}"

    assert not meanwhile, "the runbook does not say it"
    trouble.promise()


@pytest.mark.parametrize("path", runbooks(), ids=RUNBOOK_IDS)
def test_a_runbook_answers_the_same_questions_as_the_others(path: Path) -> None:
    assert headings_in(path) == HEADINGS
    commands = list(commands_in(path))
    assert len(commands) >= FEWEST_COMMANDS
    assert len(commands) == path.read_text().count("$ qonto-xero"), "one of them stands in no block of console"
    explained = set(re.findall(r"`([A-Z_]+)`", (RUNBOOKS / "README.md").read_text()))
    assert {word for command in commands for word in command.placeholders} <= explained


@pytest.mark.parametrize("path", PAGES, ids=[path.stem for path in PAGES])
def test_every_command_that_operators_are_told_of_exists(path: Path) -> None:
    assert [(command.text, command.unknown()) for command in commands_in(path) if command.unknown()] == []


@pytest.mark.parametrize("path", PAGES, ids=[path.stem for path in PAGES])
def test_every_service_that_operators_are_told_of_exists(path: Path) -> None:
    assert services_in(path) - read_compose(COMPOSE, SANDBOX)["services"].keys() == set()


def test_a_service_is_found_whatever_stands_around_it(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "Say `docker compose --profile more up --detach one` or\n```sh\ndocker compose exec -T two psql -c 'SELECT 1'\n"
        "sudo cat it | docker compose logs --tail 50 three four   # all of it\ndocker compose ps\n```\n"
    )

    assert services_in(page) == {"one", "two", "three", "four"}


def test_a_command_or_an_option_that_does_not_exist_is_seen() -> None:
    told = ("qonto-xero mend ORG", "qonto-xero replay everything", "qonto-xero sync ORG --now", "qonto-xero sync ORG")
    assert [Command(text).unknown() for text in told] == [["mend"], ["everything"], ["--now"], []]


def test_an_alert_and_its_runbook_know_each_other() -> None:
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    alerts = {rule["alert"]: REPOSITORY / rule["annotations"]["runbook"] for rule in rules if "alert" in rule}

    assert alerts
    assert {alert for alert, path in alerts.items() if path not in runbooks()} == set()
    assert {alert for alert, path in alerts.items() if f"`{alert}`" not in path.read_text()} == set()


def test_what_to_do_after_a_breach_was_looked_over_within_a_year() -> None:
    text = (OPERATIONS / "breach.md").read_text()
    looked_over = re.search(r"^Looked over on (\d{4}-\d{2}-\d{2})\.", text, re.MULTILINE)

    assert looked_over, "it has no date"
    age = datetime.now(UTC) - datetime.fromisoformat(f"{looked_over[1]}T00:00:00+00:00")
    assert age < STALE
