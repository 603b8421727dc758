"""`python -m tests.contract.events`: whether docs/events, the contract of the core's events, is true to itself."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft7Validator, Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT7, DRAFT202012

CONTRACT = Path(__file__).parents[2] / "docs" / "events"
SCHEMA, ASYNCAPI = "account-event.schema.json", "asyncapi.yaml"
OFFICIAL = Path(__file__).with_name("asyncapi-3.0.0.schema.json")
BASE = "file:///"  # references between the files are relative to it; nothing is fetched

Documents = dict[str, Any]  # by the file's name
Rule = Callable[[Documents], Iterator[str]]


def mistakes(contract: Path = CONTRACT) -> list[str]:
    """A line for each; it names the file and the place in it. A later rule stands on the earlier ones."""
    documents, found = _read(contract)
    rules: list[Rule] = [_schema_is_one, _asyncapi_is_one, _references_lead_somewhere, _examples_are_good]
    for rule in rules:
        found = found or list(rule(documents))
    return found


def event_validator(schema: Any) -> Draft202012Validator:
    """Says what is no account event, as anybody would who has only the schema."""
    return Draft202012Validator(schema)


def _read(contract: Path) -> tuple[Documents, list[str]]:
    documents: Documents = {}
    found = []
    paths = [contract / SCHEMA, contract / ASYNCAPI, *sorted(contract.glob("examples/**/*.json"))]
    for path in paths:
        name = path.relative_to(contract).as_posix()
        try:
            text = path.read_text(encoding="utf-8")
            documents[name] = yaml.safe_load(text) if path.suffix == ".yaml" else json.loads(text)
        except (OSError, ValueError, yaml.YAMLError) as error:
            found.append(f"{name}: {' '.join(str(error).split())}")
    folders = {name.rpartition("/")[0] for name in documents}
    found += [f"{each}: holds no example" for each in ("examples", "examples/refused") if each not in folders]
    return documents, found


def _schema_is_one(documents: Documents) -> Iterator[str]:
    dialect = documents[SCHEMA].get("$schema") if isinstance(documents[SCHEMA], dict) else None
    if dialect != Draft202012Validator.META_SCHEMA["$id"]:
        yield f"{SCHEMA}: $: $schema does not name the 2020-12 dialect"
    for error in Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(documents[SCHEMA]):
        yield _line(SCHEMA, error)


def _asyncapi_is_one(documents: Documents) -> Iterator[str]:
    for error in Draft7Validator(json.loads(OFFICIAL.read_text(encoding="utf-8"))).iter_errors(documents[ASYNCAPI]):
        yield _line(ASYNCAPI, error)


def _references_lead_somewhere(documents: Documents) -> Iterator[str]:
    registry = _registry(documents)
    for name in (SCHEMA, ASYNCAPI):
        for pointer, node in _nodes(documents[name]):
            if isinstance(node, dict) and isinstance(node.get("$ref"), str):
                try:
                    registry.resolver(BASE + name).lookup(node["$ref"])
                except Unresolvable:
                    yield f"{name}: {pointer}: $ref leads nowhere: {node['$ref']}"


def _examples_are_good(documents: Documents) -> Iterator[str]:
    validator = event_validator(documents[SCHEMA])
    for name, document in documents.items():
        if name.startswith("examples/refused/"):
            if validator.is_valid(document):
                yield f"{name}: $: is accepted, and should not be"
        elif name.startswith("examples/"):
            yield from (_line(name, error) for error in validator.iter_errors(document))
    yield from _examples_inside(documents, SCHEMA)
    yield from _examples_inside(documents, ASYNCAPI)


def _examples_inside(documents: Documents, name: str) -> Iterator[str]:
    registry = _registry(documents)
    for place, described, value in _claims(documents[name]):
        schema = {"$ref": f"{BASE}{name}#{described}"}
        for error in Draft202012Validator(schema, registry=registry).iter_errors(value):
            yield _line(f"{name}: {place}", error)


def _claims(document: Any) -> Iterator[tuple[str, str, Any]]:
    """Where an example stands, where it is described, and what it is. A message's has headers and a payload."""
    for pointer, node in _nodes(document):
        if isinstance(node, dict) and isinstance(node.get("examples"), list):
            for number, example in enumerate(node["examples"]):
                place = f"{pointer}/examples/{number}"
                if "payload" not in node:
                    yield place, pointer, example
                    continue
                for part in {"headers", "payload"} & node.keys() & example.keys():
                    yield f"{place}/{part}", f"{pointer}/{part}", example[part]


def _registry(documents: Documents) -> Registry[Any]:
    """Where references look things up: both files, each in its dialect, and nothing outside the folder."""
    schema: Resource[Any] = DRAFT202012.create_resource(documents[SCHEMA])
    asyncapi: Resource[Any] = DRAFT7.create_resource(documents[ASYNCAPI])
    nothing: Registry[Any] = Registry()
    return nothing.with_resources([(BASE + SCHEMA, schema), (BASE + ASYNCAPI, asyncapi)]).crawl()


def _nodes(node: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in a document, with its JSON pointer."""
    yield pointer, node
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in entries:
        yield from _nodes(child, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")


def _line(name: str, error: ValidationError) -> str:
    deepest = best_match([error]) or error
    return f"{name}: {deepest.json_path}: {deepest.message}"


def main(arguments: list[str]) -> int:
    """Print what is wrong; 1 if anything is. Another folder than ours may be named."""
    found = mistakes(*map(Path, arguments))
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
