"""What there is, described from the models: every field, an entry that works, a schema that agrees.

`jsonschema` is the oracle of the schemas.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from corpora import both_sources_document
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import sgt_data
from sgt_data import RequestError
from sgt_data.facts import STATED
from sgt_data.manifest.manifest import Manifest
from sgt_data.reference.examples import examples_of
from sgt_data.reference.field_facts import allowed_in_words, field_facts
from sgt_data.reference.json_schemas import (
    kind_schema,
    manifest_schema,
    plan_schema,
    schema_text,
    train_schema,
)
from sgt_data.reference.kinds import list_kinds
from sgt_data.reference.registries import FAMILIES, Family, kinds_of

ROOT = Path(sgt_data.__file__).parent.parent
SHIPPED = sorted((ROOT / "manifests").glob("*.yaml"))
KINDS: list[tuple[Family, str]] = [
    (family, name) for family in FAMILIES for name in kinds_of(family, built_in=True)
]
SCHEMAS = {"manifest": manifest_schema, "plan": plan_schema, "train": train_schema}

Value = Any


def validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema)


@cache
def whole_manifests() -> jsonschema.Draft202012Validator:
    return validator(manifest_schema())


@pytest.fixture
def checks() -> jsonschema.Draft202012Validator:
    return whole_manifests()


# --- descriptions


def undescribed(schema: Any, path: str = "") -> Iterator[str]:
    """Paths of the properties of a schema that have no description."""
    if isinstance(schema, dict):
        for name, written in schema.get("properties", {}).items():
            if isinstance(written, dict) and not written.get("description"):
                yield f"{path}.{name}"
        for name, below in schema.items():
            yield from undescribed(below, f"{path}.{name}")


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_that_a_person_can_write_is_described(name: str) -> None:
    assert list(undescribed(SCHEMAS[name]())) == []


@pytest.mark.parametrize(("family", "name"), KINDS)
def test_every_kind_says_what_it_is_and_how_it_is_written(family: Family, name: str) -> None:
    facts = next(each for each in list_kinds(family) if each.type == name)
    assert facts.summary.endswith(".")
    assert facts.examples
    assert [yaml.safe_load(entry) for entry in facts.entries] == [*map(dict, facts.examples)]
    assert all(facts.facts.values())
    if family == "proxies":
        assert facts.facts["target"].endswith(".")
        assert facts.banks
        banks = [bank for bank in facts.banks if bank.name != STATED]
        assert banks
        assert all(len(bank.lines) == 3 and bank.train > 200 for bank in banks)


BASES = (
    {"type": "segmentation", "name": "panoptic", "variant": "panoptic"},
    {"type": "depth", "name": "depth", "annotator": "depth-anything"},
)
"""Proxies that examples reverse."""


def with_what_it_needs(proxy: dict[str, Any]) -> dict[str, Any]:
    """A manifest in which an entry of a proxy works."""
    sources = [
        {"type": "coco", "root": "/data/coco", "annotations": ["instances", "panoptic"]},
        {"type": "sa1b", "tars": "/data/sa_*.tar"},
    ]
    if proxy["type"] == "depth":
        sources = [{**source, "depth": "/data/depth"} for source in sources]
    if proxy["type"] == "normals":
        sources = [{**source, "normals": "/data/normals"} for source in sources]
    if proxy["type"] == "metric_depth":
        unit = {"depth": "/data/depth", "depth_is": "metric", "depth_unit": 0.001}
        sources = [{**source, **unit} for source in sources]
    if proxy["type"] == "paired":
        sources = [{"type": "pairs", "metadata": "/data/edits.jsonl"}]
    if "sources" not in proxy:
        sources = sources[:1]
    annotators = [{"type": "depth_anything"}, {"type": "depth_pro"}, {"type": "edges"}]
    bases = [example for example in BASES if example["name"] == proxy.get("of")]
    return {
        "name": "a", "sources": sources, "annotators": annotators, "proxies": [*bases, proxy],
    }  # fmt: skip


@pytest.mark.parametrize("name", kinds_of("proxies", built_in=True))
def test_the_entries_of_proxies_work_in_a_manifest(
    name: str, checks: jsonschema.Draft202012Validator
) -> None:
    for example in sgt_data.describe_proxy(name).examples:
        document = with_what_it_needs(dict(example))
        sgt_data.parse_manifest(document)
        checks.validate(document)


@pytest.mark.parametrize("family", ["sources", "annotators"])
def test_the_entries_of_sources_and_annotators_work_in_a_manifest(
    family: Family, checks: jsonschema.Draft202012Validator
) -> None:
    for facts in list_kinds(family):
        for example in facts.examples:
            document = {
                "name": "a",
                "sources": [{"type": "folder", "name": "base", "pictures": "/p"}],
                "proxies": [{"type": "edge", "sources": ["base"]}],
            }
            document[family] = [*document.get(family, []), dict(example)]
            sgt_data.parse_manifest(document)
            checks.validate(document)


def test_what_a_proxy_is_drawn_from_is_what_it_accepts() -> None:
    drawn_from = {facts.type: facts.facts["drawn from"] for facts in list_kinds("proxies")}
    assert drawn_from["mae"] == "the picture"
    assert drawn_from["referring"] == "instances or panoptic"
    assert "panoptic (panoptic)" in drawn_from["segmentation"]
    metric = "depth_anything_metric, depth_pro"
    assert sgt_data.describe_proxy("depth").facts["annotators"] == f"depth_anything, {metric}"
    assert sgt_data.describe_proxy("metric_depth").facts["annotators"] == metric
    assert sgt_data.describe_annotator("sam").facts["for proxies"] == "segmentation"


def test_a_proxy_is_described_by_the_name_of_an_example_too() -> None:
    for name in ("segmentation", "panoptic", "semantic"):
        assert sgt_data.describe_proxy(name).type == "segmentation"
    assert sgt_data.describe_proxy("super-resolution").type == "super_resolution"
    assert sgt_data.describe_annotator("depth-anything").type == "depth_anything"
    assert sgt_data.describe_proxy("edge").type == "edge"


def test_fields_state_ranges_defaults_and_what_must_be_given() -> None:
    fields = {field.name: field for field in sgt_data.describe_proxy("panoptic").fields}
    assert fields["variant"].required
    assert fields["variant"].allowed == "entity, instance, panoptic or semantic"
    assert fields["filters.min_area"].allowed == "number, 0 to 1"
    assert fields["filters.min_area"].default_text == "0.0"
    assert fields["filters.max_segments"].allowed == "whole number, from 1; or null"
    assert fields["name"].of_base and not fields["variant"].of_base
    fields = {field.name: field for field in sgt_data.describe_proxy("inpainting").fields}
    assert fields["share"].allowed == "list of 2: number, 0.01 to 0.95"
    assert fields["share"].default_text == "[0.3, 0.8]"


# --- schemas


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_schemas(name: str) -> None:
    schema = SCHEMAS[name]()
    assert schema["$schema"].endswith("2020-12/schema")
    jsonschema.Draft202012Validator.check_schema(schema)


def test_lists_of_a_manifest_are_unions_that_type_tells_apart() -> None:
    schema = manifest_schema(built_in=True)
    for family in FAMILIES:
        items = schema["properties"][family]["items"]
        kinds = kinds_of(family, built_in=True)
        assert items["discriminator"]["propertyName"] == "type"
        assert set(items["discriminator"]["mapping"]) == set(kinds)
        assert {each["$ref"] for each in items["oneOf"]} == {
            *items["discriminator"]["mapping"].values()
        }
        for name in kinds:
            entry = schema["$defs"][f"{family}.{name}"]
            assert entry["properties"]["type"]["const"] == name
            assert "type" in entry["required"]
            assert entry["additionalProperties"] is False


@pytest.mark.parametrize("place", SHIPPED, ids=lambda place: place.stem)
def test_shipped_manifests_fit_the_schema_that_their_first_line_names(place: Path) -> None:
    first, _ = place.read_text().split("\n", 1)
    named = first.removeprefix("# yaml-language-server: $schema=")
    schema = json.loads((place.parent / named).read_text())
    validator(schema).validate(yaml.safe_load(place.read_text()))


def test_the_shipped_schema_is_up_to_date() -> None:
    """`python docs/generate_reference.py` writes it."""
    written = (ROOT / "manifests" / "manifest.schema.json").read_text()
    assert written == schema_text(manifest_schema(built_in=True))


def test_manifests_of_other_tests_fit_the_schema(
    tmp_path: Path, checks: jsonschema.Draft202012Validator
) -> None:
    checks.validate(both_sources_document(tmp_path, 4))


def test_plans_that_are_shipped_fit_the_schema() -> None:
    for place in (ROOT / "sgt_data" / "experiment" / "plan" / "shipped").glob("*.yaml"):
        validator(plan_schema()).validate(yaml.safe_load(place.read_text()))


@pytest.mark.parametrize(
    "wrong",
    [
        {"sede": 1},
        {"seed": -1},
        {"seed": 2**63},
        {"name": "a/b"},
        {"max_filtered": 1.5},
        {"inputs": "both"},
        {"version": 2},
        {"sources": []},
        {"sources": [{"type": "flickr"}]},
        {"sources": [{"pictures": "/p"}]},
        {"sources": [{"type": "folder"}]},
        {"sources": ["folder"]},
        {"pictures": {"min_sied": 4}},
        {"pictures": {"jpeg_quality": 0}},
        {"proxies": [{"type": "edge", "gian": 1}]},
        {"proxies": [{"type": "edge", "gain": 0}]},
        {"proxies": [{"type": "edge", "name": "Edge"}]},
        {"proxies": [{"type": "edge", "name": "input"}]},
        {"proxies": [{"type": "segmentation"}]},
        {"proxies": [{"type": "denoise", "sigma": [5, 500]}]},
        {"proxies": [{"type": "depth", "percentiles": [2, 101]}]},
        {"annotators": [{"type": "sam", "checkpoint": "/c", "points_per_side": 300}]},
    ],
    ids=str,
)
def test_what_a_manifest_refuses_the_schema_refuses(
    wrong: dict[str, Any], checks: jsonschema.Draft202012Validator
) -> None:
    right = {
        "name": "a",
        "sources": [{"type": "folder", "pictures": "/p"}],
        "proxies": [{"type": "edge"}],
    }
    checks.validate(right)
    with pytest.raises(jsonschema.ValidationError):
        checks.validate(right | wrong)
    with pytest.raises(RequestError):
        sgt_data.parse_manifest(right | wrong)


EDGES: tuple[Value, ...] = (
    None, -1, 0, 1, 2, 3, 0.5, 1.5, 64, 65, 95, 100, 256, 257, 4096, 2**31, 2**63, -0.1, "", "x",
    "auto", "A b", [], [1], ["x"], [0.2, 0.5], [20, 40], [1, 2, 3], {}, {"a": 1}, {"min_area": 0.5},
)  # fmt: skip
"""Values at the ends of ranges, and of other types."""

FIELDS: list[tuple[Family, str, str]] = [
    (family, name, field)
    for family, name in KINDS
    for field in kinds_of(family)[name].model_fields
    if field != "type"
]


@cache
def entry_of(family: Family, name: str) -> tuple[jsonschema.Draft202012Validator, dict[str, Any]]:
    """What checks an entry of a kind by its schema, and an entry that is right."""
    kind = kinds_of(family)[name]
    schema, definitions = kind_schema(family, name, kind)
    return validator({**schema, "$defs": definitions}), dict(examples_of(name, kind)[0])


def agree(family: Family, name: str, field: str, value: Value) -> None:
    """The schema of a kind and its class decide alike on one field of a valid entry.

    The class alone checks what spans several fields; it takes 0 and 1 as truth values, too.
    """
    checks, example = entry_of(family, name)
    entry = {**example, field: value}
    try:
        kinds_of(family)[name].model_validate(entry)
    except ValidationError as why:
        ours = {error["type"] for error in why.errors()} == {"value_error"}
        assert ours or not checks.is_valid(entry), f"the schema takes {field}: {value!r}; {why}"
    else:
        reserved = family == "proxies" and field == "name"
        is_truth = kinds_of(family)[name].model_fields[field].annotation is bool and value in (0, 1)
        fits = reserved or is_truth or checks.is_valid(entry)
        assert fits, f"the class takes {field}: {value!r}, the schema does not"


@pytest.mark.parametrize(("family", "name"), KINDS)
def test_a_schema_takes_what_its_kind_takes_at_the_ends_of_ranges(
    family: Family, name: str
) -> None:
    kind = kinds_of(family)[name]
    for field in kind.model_fields:
        if field != "type":
            for value in EDGES:
                agree(family, name, field, value)


def pairs_in(schema: dict[str, Any]) -> Iterator[tuple[float, float]]:
    """Bounds of both values of ranges."""
    for option in (schema, *schema.get("anyOf", ())):
        items = option.get("prefixItems", ())
        for item in items[:1]:
            if "maximum" in item and len(items) == 2:
                yield item["minimum"], item["maximum"]


def test_ranges_end_where_their_fields_say() -> None:
    ranges = [
        (name, field, low, high)
        for name, kind in kinds_of("proxies", built_in=True).items()
        for field, written in kind_schema("proxies", name, kind)[0]["properties"].items()
        for low, high in pairs_in(written)
    ]
    assert len(ranges) > 15
    for name, field, low, high in ranges:
        kind, example = kinds_of("proxies")[name], entry_of("proxies", name)[1]
        kind.model_validate({**example, field: [low, high]})
        for wrong in ([low, high + 1], [low - 1, high]):
            with pytest.raises(ValidationError):
                kind.model_validate({**example, field: wrong})


json_values = st.recursive(
    st.none() | st.integers(-(2**64), 2**64) | st.floats(-(2**53), 2**53),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(FIELDS), json_values)
def test_a_schema_takes_what_its_kind_takes(place: tuple[Family, str, str], value: Value) -> None:
    agree(*place, value)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(Manifest.model_fields)), json_values)
def test_the_schema_of_a_manifest_takes_what_a_manifest_takes(field: str, value: Value) -> None:
    document = {
        "name": "a",
        "sources": [{"type": "folder", "pictures": "/p"}],
        "proxies": [{"type": "edge"}],
        field: value,
    }
    fits = whole_manifests().is_valid(document)
    try:
        sgt_data.parse_manifest(document)
    except RequestError as why:
        assert not fits, why
    else:
        assert fits


def test_words_of_a_schema_state_every_bound() -> None:
    words = {
        "whole number": {"type": "integer"},
        "number, above 0 and at most 16": {"type": "number", "exclusiveMinimum": 0, "maximum": 16},
        "whole number, from 1": {"type": "integer", "minimum": 1},
        "list of text; at least 1": {
            "type": "array", "items": {"type": "string"}, "minItems": 1,
        },
        "text or null": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "a, b or null": {"anyOf": [{"enum": ["a", "b"]}, {"type": "null"}]},
        "true or false": {"type": "boolean"},
    }  # fmt: skip
    assert {allowed_in_words(schema, {}) for schema in words.values()} == set(words)
    (field,) = field_facts({"properties": {"a": {"type": "string"}}, "required": ["a"]}, {})
    assert field.required and field.default_text == ""


# --- plug-ins

PLUGIN = '''
from typing import ClassVar, Literal
from sgt_data.proxies.base import Proxy

class MirrorProxy(Proxy):
    """Proxy that draws a picture in a mirror.

    Attributes:
        across: whether left and right change places.
    """

    tier: ClassVar[str] = "low"
    type: Literal["mirror"] = "mirror"
    name: str = "mirror"
    across: bool = True

    def unmet_need(self, layers):
        return None

    def bank(self):
        return "reconstruction"

    def draw(self, subject):
        raise NotImplementedError

    @classmethod
    def decode(cls, target, facts):
        raise NotImplementedError
'''


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process in which two packages are installed; one cannot be imported."""
    site = tmp_path_factory.mktemp("site")
    (site / "mirrors.py").write_text(PLUGIN)
    (site / "broken.py").write_text("import no_such_library_of_ours\n")
    info = site / "mirrors-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mirrors\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(
        "[sgt_data.proxies]\nmirror = mirrors:MirrorProxy\nshatter = broken:Shatter\n"
    )
    return {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}


def command(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sgt_data", *arguments],
        capture_output=True, text=True, timeout=300, env=environment,
    )  # fmt: skip


def test_plug_ins_are_listed_and_a_broken_one_with_its_error(plugins: dict[str, str]) -> None:
    done = command(plugins, "proxies", "--json")
    document = json.loads(done.stdout)
    mirror = next(facts for facts in document["proxies"] if facts["type"] == "mirror")
    assert mirror["package"] == "mirrors"
    assert mirror["entries"] == ["{type: mirror}"]
    assert "across" in {field["name"] for field in mirror["fields"]}
    assert "no_such_library_of_ours" in document["broken"]["shatter"]
    shown = command(plugins, "proxies")
    assert "shatter" in shown.stdout
    assert "shatter: " in shown.stderr and "no_such_library_of_ours" in shown.stderr


def test_a_broken_plug_in_that_is_asked_for_is_an_error_without_traceback(
    plugins: dict[str, str],
) -> None:
    done = command(plugins, "proxies", "shatter")
    assert done.returncode == 2
    assert "no_such_library_of_ours" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_schema_has_the_kinds_of_plug_ins(plugins: dict[str, str]) -> None:
    schema = json.loads(command(plugins, "schema").stdout)
    assert "mirror" in schema["properties"]["proxies"]["items"]["discriminator"]["mapping"]
    assert schema["$defs"]["proxies.mirror"]["properties"]["across"]["default"] is True
