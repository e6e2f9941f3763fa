"""Values in the JSON of an inference request: objects, parameters and flags.

A key with null counts as missing: libraries write their unset fields so.
"""

import json
from typing import Any

from service.errors import RequestError
from service.web.content_type import MAX_ECHO

Object = dict[str, Any]


def objects_at(key: str, content: Object) -> list[Object]:
    """Return the objects in the array at a key, [] if the key is missing. Raises RequestError for any other value."""
    values = content.get(key)
    if values is None:
        return []
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise RequestError(f"{key} is {echo(values)}. Send an array of objects.")
    return values


def parameters_of(content: Object) -> Object:
    """Return the parameters of a request, an input or an output, which may be missing."""
    parameters = content.get("parameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        raise RequestError(f"parameters is {echo(parameters)}. Send an object.")
    return parameters


def flag(name: str, content: Object, *, default: bool) -> bool:
    """Return a parameter that is true or false."""
    value = parameters_of(content).get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise RequestError(f"Parameter {name} is {echo(value)}. Send true or false.")
    return value


def echo(value: Any) -> str:
    """Return a value of a client as JSON, shortened, for an error."""
    text = json.dumps(value)
    return text if len(text) <= MAX_ECHO else text[:MAX_ECHO] + "…"
