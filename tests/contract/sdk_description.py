"""Is a raw HTTP request one that Xero's description of its Accounting API allows?

`violations(method, url, headers, body)` lists what is wrong: an unknown address, unknown or missing query parameters
and headers, unknown fields, wrong JSON types, missing required fields, values outside an enumeration, too long texts,
dates that are none. Models say what they require and allow through their own setters, which the generator wrote from
the description.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from xero_python.accounting import models

from tests.contract.sdk_operations import Operation, Parameter, operations

API_PREFIX = "/api.xro/2.0"
_TRANSPORT_HEADERS = {
    *("accept", "accept-encoding", "authorization", "connection", "content-length", "content-type", "host"),
    *("transfer-encoding", "user-agent", "traceparent", "tracestate"),
}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MS_DATE = re.compile(r"/Date\(-?\d+([+-]\d{4})?\)/")
_MAX_LENGTH = re.compile(r"max length\s*=\s*(\d+)")
_LIST = re.compile(r"list\[(.+)\]")
_JSON_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "bool": (bool,),
    "int": (int,),
    "float": (int, float, Decimal),
    "object": (dict,),
}


def violations(method: str, url: str, headers: Mapping[str, str], body: bytes | str | None = None) -> list[str]:
    """What the description does not allow in this request; an empty list means that it is allowed."""
    parts = urlsplit(url)
    _, prefix, path = parts.path.partition(API_PREFIX)
    if not prefix:
        return [f"{parts.path} is not below {API_PREFIX}"]
    found = _find(method, path)
    if found is None:
        return [f"{method} {path} is no operation"]
    operation, path_parameters = found
    return [
        *_path_violations(path_parameters),
        *_query_violations(operation, parts.query),
        *_header_violations(operation, headers, bool(body)),
        *_body_violations(operation, body),
    ]


def _find(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    for operation in operations():
        parameters = operation.match(path)
        if parameters is not None and operation.method == method.upper():
            return operation, parameters
    return None


def _path_violations(parameters: dict[str, str]) -> Iterator[str]:
    for name, value in parameters.items():
        if name.endswith("ID") and not _is_guid(value):
            yield f"path: {name} is no UUID: {value}"


def _query_violations(operation: Operation, query: str) -> Iterator[str]:
    seen: set[str] = set()
    for name, value in parse_qsl(query, keep_blank_values=True):
        parameter = operation.query.get(name.lower())
        if parameter is None:
            yield f"query: {name} is unknown"
        elif name.lower() in seen:
            yield f"query: {name} is given twice"
        else:
            yield from _parameter_violations("query", parameter, value)
        seen.add(name.lower())
    for name, parameter in operation.query.items():
        if parameter.required and name not in seen:
            yield f"query: {parameter.name} is missing"


def _header_violations(operation: Operation, headers: Mapping[str, str], has_body: bool) -> Iterator[str]:
    given = {name.lower(): value for name, value in headers.items()}
    for name, value in given.items():
        parameter = operation.headers.get(name)
        if parameter is not None:
            yield from _parameter_violations("header", parameter, value)
        elif name not in _TRANSPORT_HEADERS:
            yield f"header: {name} is unknown"
    for name, parameter in operation.headers.items():
        if parameter.required and name not in given:
            yield f"header: {parameter.name} is missing"
    yield from _transport_violations(given, has_body)


def _transport_violations(given: Mapping[str, str], has_body: bool) -> Iterator[str]:
    if not given.get("authorization", "").startswith("Bearer "):
        yield "header: Authorization must be a bearer token"
    if "application/json" not in given.get("accept", ""):
        yield "header: Accept must be application/json"
    if has_body and not given.get("content-type", "").startswith("application/json"):
        yield "header: Content-Type must be application/json"


def _parameter_violations(where: str, parameter: Parameter, value: str) -> Iterator[str]:
    name, longest = parameter.name, parameter.max_characters
    if longest is not None and len(value) > longest:
        yield f"{where}: {name} has more than {longest} characters"
    if parameter.type == "int" and not value.isdigit():
        yield f"{where}: {name} must be a whole number, not {value}"
    if parameter.type == "bool" and value.lower() not in ("true", "false"):
        yield f"{where}: {name} must be true or false, not {value}"
    if parameter.type == "datetime" and not _is_instant(value):
        yield f"{where}: {name} must be a time, not {value}"


def _body_violations(operation: Operation, body: bytes | str | None) -> Iterator[str]:
    if operation.body_model is None:
        if body:
            yield "body: none is allowed"
        return
    if not body:
        yield "body: missing"
        return
    try:
        content = json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
    except ValueError as error:
        yield f"body: is no JSON: {error}"
        return
    yield from _value_violations("body", operation.body_model, content)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _value_violations(where: str, kind: str, value: Any) -> Iterator[str]:
    """What is wrong with a JSON value that should be of a type of the description."""
    inner = _LIST.fullmatch(kind)
    if inner is not None:
        if isinstance(value, list):
            for index, element in enumerate(value):
                yield from _value_violations(f"{where}[{index}]", inner[1], element)
        else:
            yield f"{where}: must be a list, not {value!r}"
    elif kind in _JSON_KINDS:
        if not isinstance(value, _JSON_KINDS[kind]) or (isinstance(value, bool) and kind != "bool"):
            yield f"{where}: must be {kind}, not {value!r}"
    elif kind.startswith("date"):
        if not isinstance(value, str) or not _is_date(kind, value):
            yield f"{where}: must be a {kind}, not {value!r}"
    else:
        yield from _model_violations(where, getattr(models, kind), value)


def _model_violations(where: str, model: Any, value: Any) -> Iterator[str]:
    if issubclass(model, Enum):
        if value not in [member.value for member in model]:
            yield f"{where}: {value!r} is not in {model.__name__}"
        return
    if not isinstance(value, dict):
        yield f"{where}: must be an object, not {value!r}"
        return
    attributes = {json_name: name for name, json_name in model.attribute_map.items()}
    for json_name, content in value.items():
        if json_name not in attributes:
            yield f"{where}.{json_name}: is unknown in {model.__name__}"
        else:
            kind = model.openapi_types[attributes[json_name]]
            yield from _value_violations(f"{where}.{json_name}", kind, content)
            yield from _setter_violation(f"{where}.{json_name}", model, attributes[json_name], content)
    for json_name, name in attributes.items():
        if json_name not in value and any(_setter_violation(where, model, name, None)):
            yield f"{where}.{json_name}: is missing"


def _setter_violation(where: str, model: Any, name: str, value: Any) -> Iterator[str]:
    """What the generated setter says of a value: required, allowed values; and the length its text names."""
    if value is not None and not isinstance(value, str):
        return
    try:
        setattr(model.__new__(model), name, value)
    except ValueError as error:
        yield f"{where}: {error}"
        return
    longest = _MAX_LENGTH.search(getattr(model, name).__doc__ or "")
    if longest is not None and len(value or "") > int(longest[1]):
        yield f"{where}: is longer than {longest[1]} characters"


def _is_date(kind: str, text: str) -> bool:
    if kind.endswith("[ms-format]") and _MS_DATE.fullmatch(text):
        return True
    return _is_instant(text) if kind.startswith("datetime") else _is_calendar_date(text)


def _is_calendar_date(text: str) -> bool:
    """A date, alone or at the start of a time, as Xero's samples write it."""
    return _DAY.match(text) is not None and _is_instant(text)


def _is_instant(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_guid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
