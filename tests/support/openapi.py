"""Meta's own description of the Graph API, where somebody has it: which shape an answer has."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any, Final

import yaml

from tests.support.checkout import CHECKOUT

OPENAPI: Final = Path(
    os.environ.get(
        "WHATSAPP_OPENAPI",
        CHECKOUT.parent / "shared/data/meta-openapi/business-messaging-api_v23.0.yaml",
    )
)
"""Meta's OpenAPI file."""

_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}


@functools.cache
def document() -> dict[str, Any]:
    """The whole file."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, Any] = yaml.load(OPENAPI.read_bytes(), Loader=loader)  # noqa: S506 - a safe one
    return found


def complaints(method: str, path: str, status: int, body: Any) -> list[str]:
    """What is wrong with an answer, `path` as in the file without its version."""
    operation = document()["paths"]["/{Version}/" + path][method.lower()]
    responses = operation["responses"]
    found = responses.get(str(status), responses.get("default"))
    if found is None and status >= 400:
        found = {"content": {"application/json": {"schema": _ERROR}}}
    assert found is not None, f"no answer {status} is documented"
    return list(_wrong(_resolved(found)["content"]["application/json"]["schema"], body, ""))


_ERROR: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "code", "fbtrace_id"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "code": {"type": "integer"},
                "error_subcode": {"type": "integer"},
                "error_user_title": {"type": "string"},
                "error_user_msg": {"type": "string"},
                "is_transient": {"type": "boolean"},
                "fbtrace_id": {"type": "string"},
                "error_data": {"type": "object"},
            },
        }
    },
}


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        found: Any = document()
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def _wrong(schema: dict[str, Any], value: Any, where: str) -> list[str]:
    schema = _resolved(schema)
    for key in ("oneOf", "anyOf"):
        if key in schema:
            tried = [_wrong(one, value, where) for one in schema[key]]
            return min(tried, key=len)
    if "allOf" in schema:
        return [each for one in schema["allOf"] for each in _wrong(one, value, where)]
    kind = schema.get("type")
    if kind in _TYPES and not isinstance(value, _TYPES[kind]):
        return [f"{where or 'answer'} is {type(value).__name__}, not {kind}"]
    if isinstance(value, dict):
        return _wrong_object(schema, value, where)
    if isinstance(value, list):
        items = schema.get("items", {})
        return [each for n, one in enumerate(value) for each in _wrong(items, one, f"{where}[]")]
    allowed = schema.get("enum")
    if allowed and str(value).lower() not in {str(one).lower() for one in allowed}:
        return [f"{where}: {value!r} is none of {allowed}"]
    return []


def _wrong_object(schema: dict[str, Any], value: dict[str, Any], where: str) -> list[str]:
    known = schema.get("properties", {})
    found = [f"{where}.{key} is missing" for key in schema.get("required", ()) if key not in value]
    for key, one in value.items():
        if known and key not in known:
            found.append(f"{where}.{key} is not documented")
        elif key in known:
            found += _wrong(known[key], one, f"{where}.{key}")
    return found
