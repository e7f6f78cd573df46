"""Values of the contract in Python.

wasmtime gives the fields of a record the names of the contract, with hyphens. So
`record(product_id="a")` makes a record, and `getattr(key, "product-id")` reads its field.
"""

import json

from wasmtime.component import Record, Variant


def record(**fields):
    made = Record()
    for name, value in fields.items():
        setattr(made, name.replace("_", "-"), value)
    return made


def render(value):
    """A value as JSON, the same text in every runtime."""
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def _plain(value):
    if isinstance(value, Variant):
        return {value.tag: _plain(value.payload)}
    if isinstance(value, Record):
        return _plain(vars(value))
    if isinstance(value, dict):
        present = {name: field for name, field in value.items() if field is not None}
        return {name.replace("-", "_"): _plain(field) for name, field in present.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
