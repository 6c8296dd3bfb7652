"""JSON Schemas (draft 2020-12) of the files that people write: manifests, plans, configurations.

Fields, types, ranges and defaults come from the models, descriptions from their docstrings. A
schema cannot state what spans several fields (which annotator a proxy names, whether a source has
what a proxy needs); `build --dry-run` checks this.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from sgt_data.experiment.plan.experiment_plan import Plan
from sgt_data.manifest.manifest import RESERVED_NAMES, Manifest
from sgt_data.names import NAME_PATTERN
from sgt_data.reference.docstrings import Docstring, attribute_texts
from sgt_data.reference.registries import FAMILIES, Family, kinds_of
from sgt_data.training.config import TrainConfig

DIALECT = "https://json-schema.org/draft/2020-12/schema"


_TYPE_TEXT = "the kind, which decides which other fields there are."


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, with descriptions of docstrings and without titles of fields."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        return _described(super().model_schema(schema), schema["cls"])

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        return _described(super().dataclass_schema(schema), schema["cls"])

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def manifest_schema(*, built_in: bool = False) -> dict[str, Any]:
    """JSON Schema of a manifest; its lists are unions of all kinds, told apart by `type`.

    Args:
        built_in: only the kinds of this package, without plug-ins that are installed.
    """
    schema, definitions = _schema_of(Manifest)
    for family in FAMILIES:
        kinds = kinds_of(family, built_in=built_in)
        references = {}
        for name, kind in kinds.items():
            written, used = kind_schema(family, name, kind)
            definitions |= used
            definitions[_definition(family, name)] = written
            references[name] = {"$ref": f"#/$defs/{_definition(family, name)}"}
        schema["properties"][family]["items"] = {
            "type": "object",
            "required": ["type"],
            "properties": {"type": {"enum": list(kinds), "description": _TYPE_TEXT}},
            "discriminator": {
                "propertyName": "type",
                "mapping": {name: reference["$ref"] for name, reference in references.items()},
            },
            "oneOf": list(references.values()),
        }
    return _whole("A manifest of sgt_data", schema, definitions)


def plan_schema() -> dict[str, Any]:
    """JSON Schema of the plan of an experiment."""
    return _whole("A plan of an experiment of sgt_data", *_schema_of(Plan))


def train_schema() -> dict[str, Any]:
    """JSON Schema of the configuration of a training run."""
    return _whole("A training configuration of sgt_data", *_schema_of(TrainConfig))


def schema_text(schema: Mapping[str, Any]) -> str:
    """A schema as the text of a file, two spaces deep."""
    return json.dumps(schema, indent=2) + "\n"


SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "manifest": manifest_schema, "plan": plan_schema, "train": train_schema,
}  # fmt: skip
"""By kind of file, what makes its schema."""


def kind_schema(
    family: Family, name: str, kind: type[Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """JSON Schema of an entry of one kind in a manifest, and the definitions that it refers to.

    Args:
        family: list of the manifest.
        name: the `type` by which the kind is registered.
        kind: its class.
    """
    schema, definitions = _schema_of(kind)
    properties = schema["properties"]
    properties["type"] = {"const": name, "description": properties["type"].get("description", "")}
    properties["name"]["pattern"] = NAME_PATTERN
    if family == "proxies":
        properties["name"]["not"] = {"enum": sorted(RESERVED_NAMES)}
    schema["title"] = name
    schema["required"] = list(dict.fromkeys(["type", *schema.get("required", ())]))
    return schema, definitions


def _schema_of(model: type[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """JSON Schema of a model, and its definitions."""
    schema = TypeAdapter(model).json_schema(schema_generator=_Generator)
    definitions = schema.pop("$defs", {})
    return schema, definitions


def _whole(title: str, schema: dict[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """A schema as a document of its own."""
    return {
        "$schema": DIALECT,
        **schema,
        "title": title,
        "$defs": dict(sorted(definitions.items())),
    }


def _definition(family: Family, name: str) -> str:
    return f"{family}.{name}"


def _described(schema: JsonSchemaValue, model: type[Any]) -> JsonSchemaValue:
    """The schema of a model with the texts of its docstring."""
    documented = Docstring.of(model)
    schema["description"] = "\n\n".join(filter(None, (documented.summary, documented.text)))
    texts = attribute_texts(model)
    for name, written in schema.get("properties", {}).items():
        if name in texts:
            written["description"] = texts[name]
    return schema
