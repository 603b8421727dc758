"""Whoever is woken is woken for a reason: every rule is tried both ways, and asks for what there is."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest
import yaml

from tests.contract.promql import (
    ALERTS,
    OURS,
    PROMETHEUS,
    RECORDED,
    RULES,
    labels,
    labels_in,
    labels_of,
    names_in,
    series,
    told_of_the_fleet,
)
from tests.servers.promtool import promtool

pytestmark = pytest.mark.contract

TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))
ALWAYS = {"Watchdog"}  # its silence is the alarm
NOT_MISSED = {"operations", "prometheus"}  # may be off: one by default, the other by being who looks
FLEET = "fleet:"
FRESH = re.compile(r"(?:min|max)(?: by \((\w+)\) |)\((\w+)\{job=\"scheduler\"\} and on \(instance\) scheduler:fresh\)")


def test_prometheus_takes_the_configuration_and_its_rules() -> None:
    said = promtool("check", "config", "prometheus.yml", folder=PROMETHEUS)

    assert f"SUCCESS: {len(RULES)} rules found" in said


def test_every_rule_fires_when_it_should_and_else_does_not() -> None:
    said = promtool("test", "rules", *(str(path) for path in TESTS), folder=PROMETHEUS)

    assert said.count("SUCCESS") == len(TESTS) > 0


def test_every_alert_is_seen_to_fire_and_seen_to_stay_quiet() -> None:
    seen: defaultdict[bool, set[str]] = defaultdict(set)
    for path in TESTS:
        for test in yaml.safe_load(path.read_text())["tests"]:
            for expected in test["alert_rule_test"]:
                seen[bool(expected.get("exp_alerts"))].add(expected["alertname"])

    assert seen[True] == set(ALERTS)
    assert seen[False] == set(ALERTS) - ALWAYS


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_asks_only_for_what_there_is(rule: dict[str, str]) -> None:
    assert names_in(rule["expr"]) - series() == set()
    assert labels_in(rule["expr"]) - labels() == set()


def test_what_schedulers_tell_of_the_fleet_counts_only_while_it_is_fresh() -> None:
    of_the_fleet = {name: expr for name, expr in RECORDED.items() if name.startswith(FLEET + "qonto_xero_")}

    for name, expr in of_the_fleet.items():
        found = FRESH.fullmatch(expr)
        assert found, name
        by, metric = found.groups()
        assert metric == name.removeprefix(FLEET)
        assert labels_of(OURS[metric]) == ((by,) if by else ())
    told = told_of_the_fleet()
    assert {name.removeprefix(FLEET) for name in of_the_fleet} <= told
    assert {alert for alert, rule in ALERTS.items() if names_in(rule["expr"]) & told} == set()


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_whom_it_is_for_what_it_means_and_what_to_do(name: str) -> None:
    alert = ALERTS[name]

    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert set(alert["annotations"]) == {"summary", "description", "runbook"}


def test_every_process_that_is_watched_is_also_missed() -> None:
    configuration = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    jobs = {scrape["job_name"] for scrape in configuration["scrape_configs"]}

    missed = set(
        re.findall(r'absent\(up\{job="(\w+)"\}\)', ALERTS["TargetDown"]["expr"] + ALERTS["BrokerUnseen"]["expr"])
    )

    assert missed == jobs - NOT_MISSED
