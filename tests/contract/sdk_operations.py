"""What Xero's published description says of each operation, read from the SDK that Xero generates from it.

The `xero-python` distribution does not ship the OpenAPI document itself, but every method of `AccountingApi` is
generated from one operation: its HTTP method, address, query and header parameters and body model are literals in its
source.
"""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from xero_python.accounting import AccountingApi

_PARAMETER_LINE = re.compile(r":param (?P<type>\S+) (?P<name>\w+):(?P<text>.*)")
_MAX_CHARACTERS = re.compile(r"(\d+) character max")


@dataclass(frozen=True)
class Parameter:
    """One query or header parameter."""

    name: str
    type: str
    required: bool
    max_characters: int | None


@dataclass
class Operation:
    """One method at one address."""

    method: str
    template: str
    query: dict[str, Parameter] = field(default_factory=dict)
    headers: dict[str, Parameter] = field(default_factory=dict)
    body_model: str | None = None

    def match(self, path: str) -> dict[str, str] | None:
        """The path's parameters when it is this operation's; addresses are compared without regard to case."""
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(self.template))
        found = re.fullmatch(pattern, path, re.IGNORECASE)
        return found.groupdict() if found else None


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation of the Accounting API, those without path parameters first."""
    tree = ast.parse(inspect.getsource(AccountingApi))
    api = tree.body[0]
    assert isinstance(api, ast.ClassDef)
    functions = [node for node in api.body if isinstance(node, ast.FunctionDef)]
    found = [_operation(function) for function in functions if "_return_http_data_only" in _arguments(function)]
    return tuple(sorted(found, key=lambda operation: operation.template.count("{")))


def _arguments(function: ast.FunctionDef) -> set[str]:
    return {argument.arg for argument in function.args.args}


def _operation(function: ast.FunctionDef) -> Operation:
    documented = _documented(function)
    operation = Operation(_http_method(function), _template(function))
    for node in ast.walk(function):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="query_params"), attr="append"),
                args=[ast.Tuple(elts=[ast.Constant(value=str(name)), ast.Name(id=argument)])],
            ):
                operation.query[name.lower()] = _parameter(name, documented[argument])
            case ast.Assign(
                targets=[ast.Subscript(value=ast.Name(id="header_params"), slice=ast.Constant(value=str(name)))],
                value=ast.Name(id=argument),
            ):
                operation.headers[name.lower()] = _parameter(name, documented[argument])
            case ast.Assign(targets=[ast.Name(id="header_params")], value=ast.Dict(keys=keys, values=values)):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(value, ast.Name):
                        operation.headers[str(key.value).lower()] = _parameter(str(key.value), documented[value.id])
            case ast.Assign(targets=[ast.Name(id="body_params")], value=ast.Name(id=argument)):
                operation.body_model = documented[argument][0]
    return operation


def _documented(function: ast.FunctionDef) -> dict[str, tuple[str, str]]:
    """Type and text of each argument, from the docstring."""
    lines = _PARAMETER_LINE.finditer(ast.get_docstring(function) or "")
    return {line["name"]: (line["type"], line["text"]) for line in lines}


def _parameter(name: str, documented: tuple[str, str]) -> Parameter:
    kind, text = documented
    longest = _MAX_CHARACTERS.search(text)
    return Parameter(name, kind, "(required)" in text, int(longest[1]) if longest else None)


def _http_method(function: ast.FunctionDef) -> str:
    for call in _calls(function, "call_api"):
        return _text(call.args[1])
    raise LookupError(f"{function.name} calls no API")


def _template(function: ast.FunctionDef) -> str:
    for call in _calls(function, "get_resource_url"):
        return _text(call.args[0])
    raise LookupError(f"{function.name} has no address")


def _calls(function: ast.FunctionDef, name: str) -> list[ast.Call]:
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    return [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == name]


def _text(node: ast.expr) -> str:
    value: Any = ast.literal_eval(node)
    return str(value)
