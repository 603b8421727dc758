"""docker-compose.yml as data: read, put together with another file as Compose does, and its services that are ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
COMPOSE, SANDBOX = ROOT / "docker-compose.yml", ROOT / "deploy" / "compose.sandbox.yml"
IMAGE = "qonto-xero-sync:0.1.0"
VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")
SECONDS = {"s": 1, "m": 60}
RESET = object()  # where a file says that what the one before it said does not count


class _Loader(yaml.SafeLoader):
    """YAML with Compose's own tag."""


_Loader.add_constructor("!reset", lambda *_: RESET)


def read_compose(*paths: Path) -> dict[str, Any]:
    """The files put together, the later over the earlier."""
    whole: dict[str, Any] = {}
    for path in paths:
        whole = _over(whole, yaml.load(path.read_text(), _Loader))
    return whole


def _over(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    both = {**before}
    for key, value in after.items():
        known = both.get(key)
        if value is RESET:
            both.pop(key, None)
        elif isinstance(known, Mapping) and isinstance(value, Mapping):
            both[key] = _over(known, value)
        else:
            both[key] = value
    return both


def ours(compose: Mapping[str, Any]) -> dict[str, Any]:
    """The services that run our image."""
    return {name: service for name, service in compose["services"].items() if service["image"] == IMAGE}


def going_on(compose: Mapping[str, Any]) -> dict[str, Any]:
    """Those of them that run until they are told to stop."""
    return {name: service for name, service in ours(compose).items() if "restart" in service}


def filled_in(text: str, values: Mapping[str, str]) -> str:
    """`${NAME:-default}` as Compose fills it in."""
    return VARIABLE.sub(lambda found: values.get(found[1], found[2]), text)


def secrets_of(service: Mapping[str, Any]) -> dict[str, str]:
    """Where a service finds its secrets: the path in the container, and the secret's name."""
    named = [{"source": one} if isinstance(one, str) else one for one in service.get("secrets", [])]
    return {str(Path("/run/secrets") / one.get("target", one["source"])): one["source"] for one in named}


def grace(service: Mapping[str, Any]) -> int:
    """The seconds that it has to stop."""
    text = str(service["stop_grace_period"])
    return int(text[:-1]) * SECONDS[text[-1]]
