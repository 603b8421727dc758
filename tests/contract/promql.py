"""What a PromQL expression asks for: the names of its series and of their labels. And what there is to ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import Counter, Gauge, Histogram

import metrics

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = [rule for group in yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RECORDED = {rule["record"]: rule["expr"] for rule in RULES if "record" in rule}

OURS: Mapping[str, Any] = {
    description.name: metric
    for metric in vars(metrics).values()
    if isinstance(metric, Counter | Gauge | Histogram)
    for description in metric.describe()
}
SEEN_AT = "qonto_xero_fleet_seen_timestamp_seconds"
SUFFIXES = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_count", "_sum"]}

# Of Prometheus itself, of every Python process, and of RabbitMQ's exporter (seen on 3.10.8).
OTHERS = {
    "up",
    "process_resident_memory_bytes",
    "rabbitmq_alarms_free_disk_space_watermark",
    "rabbitmq_alarms_memory_used_watermark",
    "rabbitmq_connections",
    "rabbitmq_disk_space_available_bytes",
    "rabbitmq_disk_space_available_limit_bytes",
    "rabbitmq_global_messages_confirmed_total",
    "rabbitmq_process_resident_memory_bytes",
    "rabbitmq_queue_messages_ready",
    "rabbitmq_queue_messages_unacked",
    "rabbitmq_resident_memory_limit_bytes",
}
OTHER_LABELS = {"instance", "job", "le"}

MATCHERS = re.compile(r"\{[^}]*\}")
LABELS = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
RANGES = re.compile(r"\[[^]]*\]")
DURATIONS = re.compile(r"\boffset\s+\w+")
NAMES = re.compile(r"(?<![\w.:])[a-z_][\w:]*(?!\w|:|\s*\()")
WORDS = {"and", "or", "unless", "bool"}


def kind_of(metric: Any) -> str:
    """`counter`, `gauge` or `histogram`."""
    return str(metric._type)


def labels_of(metric: Any) -> tuple[str, ...]:
    """The names of a metric's labels."""
    return tuple(metric._labelnames)


def series() -> set[str]:
    """Every name that a query may ask for."""
    ours = {name + suffix for name, metric in OURS.items() for suffix in SUFFIXES[kind_of(metric)]}
    return ours | set(RECORDED) | OTHERS


def labels() -> set[str]:
    """Every label that a query may name."""
    return OTHER_LABELS | {label for metric in OURS.values() for label in labels_of(metric)}


def told_of_the_fleet() -> set[str]:
    """What schedulers read from the database, and tell until they read it again; but for when that was."""
    told = re.findall(r"\bmetrics\.([A-Z_]+)", (ROOT / "scheduler" / "fleet_metrics.py").read_text())
    return {getattr(metrics, name)._name for name in told} - {SEEN_AT}


def names_in(expression: str) -> set[str]:
    """The series that an expression asks for."""
    for hidden in (MATCHERS, LABELS, RANGES, DURATIONS):
        expression = hidden.sub(" ", expression)
    return set(NAMES.findall(expression)) - WORDS


def labels_in(expression: str) -> set[str]:
    """The labels that an expression matches or groups by."""
    return set(_labels_in(expression))


def _labels_in(expression: str) -> Iterator[str]:
    for matchers in MATCHERS.findall(expression):
        yield from re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", re.sub(r'"[^"]*"', '""', matchers))
    for listed in LABELS.findall(expression):
        yield from re.findall(r"\w+", listed)
