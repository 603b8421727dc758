"""The dashboard shows what there is: every panel says what it is of, and Prometheus can read each of its questions."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.promql import ROOT, labels, labels_in, names_in, series, told_of_the_fleet
from tests.servers.promtool import promtool

pytestmark = pytest.mark.contract

GRAFANA = ROOT / "deploy" / "grafana"
NIGHT = json.loads((GRAFANA / "dashboards" / "night.json").read_text())
ROWS = [panel for panel in NIGHT["panels"] if panel["type"] == "row"]
PANELS = [panel for panel in NIGHT["panels"] if panel["type"] != "row"]
QUESTIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]


def test_it_has_a_row_for_each_thing_that_is_watched() -> None:
    assert [row["title"] for row in ROWS] == [
        "Tonight",
        "Work",
        "Xero and Qonto",
        "Processes",
        "Page",
        "Invariants",
        "RabbitMQ",
    ]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: f"{panel['id']} {panel['title']}")
def test_a_panel_says_what_it_shows_and_in_which_unit(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["targets"]
    assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])


def test_no_two_panels_share_an_id_or_a_place() -> None:
    ids = [panel["id"] for panel in NIGHT["panels"]]
    cells = Counter(cell for panel in NIGHT["panels"] for cell in _cells(panel["gridPos"]))

    assert len(set(ids)) == len(ids)
    assert [cell for cell, times in cells.items() if times > 1] == []
    assert max(x for x, _ in cells) < 24


def _cells(place: dict[str, int]) -> list[tuple[int, int]]:
    columns = range(place["x"], place["x"] + place["w"])
    return [(x, y) for x in columns for y in range(place["y"], place["y"] + place["h"])]


def test_prometheus_can_read_every_question(tmp_path: Path) -> None:
    rules = [
        {"record": f"question:{number}", "expr": question.replace("$__rate_interval", "1m")}
        for number, question in enumerate(QUESTIONS)
    ]
    (tmp_path / "questions.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))

    assert f"SUCCESS: {len(rules)} rules found" in promtool("check", "rules", "questions.yml", folder=tmp_path)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_only_for_what_there_is(question: str) -> None:
    assert names_in(question) - series() == set()
    assert labels_in(question) - labels() == set()


def test_the_fleet_s_figures_are_those_of_fresh_schedulers() -> None:
    assert {name for question in QUESTIONS for name in names_in(question)} & told_of_the_fleet() == set()


def test_it_asks_the_data_source_that_is_provisioned_and_lies_where_it_is_looked_for() -> None:
    (source,) = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    (provider,) = yaml.safe_load((GRAFANA / "provisioning/dashboards/night.yml").read_text())["providers"]

    assert {panel["datasource"]["uid"] for panel in PANELS} == {source["uid"]}
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards"
