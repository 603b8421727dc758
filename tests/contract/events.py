"""`python -m tests.contract.events`: whether docs/events, the contract of events, is true to itself."""

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
ASYNCAPI, FROM_CORE, TO_CORE = "asyncapi.yaml", "account-event.schema.json", "sync-event.schema.json"
EXAMPLES = {
    FROM_CORE: "examples/from-core",
    TO_CORE: "examples/to-core",
}  # of each schema; `refused` is a folder inside
OFFICIAL = Path(__file__).with_name("asyncapi-3.0.0.schema.json")
BASE = "file:///"  # references between the files are relative to it; nothing is fetched

Documents = dict[str, Any]  # by the file's name
Rule = Callable[[Documents], Iterator[str]]


def mistakes(contract: Path = CONTRACT) -> list[str]:
    """A line for each; it names the file and the place in it. A later rule stands on the earlier ones."""
    documents, found = _read(contract)
    rules: list[Rule] = [_schemas_are_such, _asyncapi_is_one, _references_lead_somewhere, _examples_are_good]
    for rule in rules:
        found = found or list(rule(documents))
    return found


def event_validator(schema: Any) -> Draft202012Validator:
    """Says what is no event, as anybody would who has only the schema."""
    return Draft202012Validator(schema)


def _read(contract: Path) -> tuple[Documents, list[str]]:
    documents: Documents = {}
    found = []
    paths = [*(contract / name for name in (*EXAMPLES, ASYNCAPI)), *sorted(contract.glob("examples/**/*.json"))]
    for path in paths:
        name = path.relative_to(contract).as_posix()
        try:
            text = path.read_text(encoding="utf-8")
            documents[name] = yaml.safe_load(text) if path.suffix == ".yaml" else json.loads(text)
        except (OSError, ValueError, yaml.YAMLError) as error:
            found.append(f"{name}: {' '.join(str(error).split())}")
    there = {name.rpartition("/")[0] for name in documents} - {""}
    wanted = {f"{folder}{part}" for folder in EXAMPLES.values() for part in ("", "/refused")}
    found += [f"{each}: holds no example" for each in sorted(wanted - there)]
    found += [f"{each}: belongs to no schema" for each in sorted(there - wanted)]
    return documents, found


def _schemas_are_such(documents: Documents) -> Iterator[str]:
    for name in EXAMPLES:
        dialect = documents[name].get("$schema") if isinstance(documents[name], dict) else None
        if dialect != Draft202012Validator.META_SCHEMA["$id"]:
            yield f"{name}: $: $schema does not name the 2020-12 dialect"
        for error in Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(documents[name]):
            yield _line(name, error)


def _asyncapi_is_one(documents: Documents) -> Iterator[str]:
    for error in Draft7Validator(json.loads(OFFICIAL.read_text(encoding="utf-8"))).iter_errors(documents[ASYNCAPI]):
        yield _line(ASYNCAPI, error)


def _references_lead_somewhere(documents: Documents) -> Iterator[str]:
    registry = _registry(documents)
    for name in (*EXAMPLES, ASYNCAPI):
        for pointer, node in _nodes(documents[name]):
            if isinstance(node, dict) and isinstance(node.get("$ref"), str):
                try:
                    registry.resolver(BASE + name).lookup(node["$ref"])
                except Unresolvable:
                    yield f"{name}: {pointer}: $ref leads nowhere: {node['$ref']}"


def _examples_are_good(documents: Documents) -> Iterator[str]:
    validators = {folder: event_validator(documents[name]) for name, folder in EXAMPLES.items()}
    for name, document in documents.items():
        folder, _, _ = name.rpartition("/")
        if folder in validators:
            yield from (_line(name, error) for error in validators[folder].iter_errors(document))
        elif folder and validators[folder.removesuffix("/refused")].is_valid(document):
            yield f"{name}: $: is accepted, and should not be"
    for name in (*EXAMPLES, ASYNCAPI):
        yield from _examples_inside(documents, name)


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
    """Where references look things up: each file in its dialect, and nothing outside the folder."""
    resources: dict[str, Resource[Any]] = {name: DRAFT202012.create_resource(documents[name]) for name in EXAMPLES}
    resources[ASYNCAPI] = DRAFT7.create_resource(documents[ASYNCAPI])
    nothing: Registry[Any] = Registry()
    return nothing.with_resources([(BASE + name, resource) for name, resource in resources.items()]).crawl()


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
