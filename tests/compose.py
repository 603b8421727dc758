"""docker-compose.yml as data: read, put together with another file as Compose does, and its services that are ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
COMPOSE, SANDBOX = ROOT / "docker-compose.yml", ROOT / "deploy" / "compose.sandbox.yml"
EXAMPLE = ROOT / "deploy" / "env.example"
IMAGE = "qonto-xero-sync:${RELEASE:-0.1.0}"
VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")
SECONDS = {"s": 1, "m": 60}
RESET_TAG = "!reset"
RESET = object()  # where a file says that what the one before it said does not count


class _Loader(yaml.SafeLoader):
    """YAML with Compose's own tag."""


_Loader.add_constructor(RESET_TAG, lambda *_: RESET)


def read_compose(*paths: Path) -> dict[str, Any]:
    """The files put together, the later over the earlier. Raises ValueError for a reset that Compose does not see."""
    whole: dict[str, Any] = {}
    for path in paths:
        unseen = [key for key in _resets(yaml.compose(path.read_text(), _Loader)) if not _is_of_a_service(key)]
        if unseen:
            raise ValueError(f"{path.name}: {RESET_TAG} outside a service does nothing: {', '.join(unseen)}")
        whole = _over(whole, yaml.load(path.read_text(), _Loader))
    return whole


def _resets(node: yaml.Node | None, at: str = "") -> Iterator[str]:
    """The keys at which something is reset, as they are written: `services.web.ports`, `x-anchor.ports`."""
    if node is not None and node.tag == RESET_TAG:
        yield at
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _resets(value, f"{at}.{key.value}".lstrip("."))
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _resets(value, at)


def _is_of_a_service(key: str) -> bool:
    first, *rest = key.split(".")
    return first == "services" and "<<" not in rest


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


def replicas(service: Mapping[str, Any], **variables: str) -> int:
    """How many there are, where .env says this."""
    return int(filled_in(str(service.get("deploy", {}).get("replicas", 1)), variables))


def grace(service: Mapping[str, Any]) -> int:
    """The seconds that it has to stop."""
    text = str(service["stop_grace_period"])
    return int(text[:-1]) * SECONDS[text[-1]]
