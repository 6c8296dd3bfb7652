"""What is wrong in a field is said in this package's words, whatever model holds the field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from sgt_data.annotators.registry import annotator_kinds
from sgt_data.errors import ManifestError, RequestError
from sgt_data.experiment.measure.run_result import RunResult
from sgt_data.experiment.plan.experiment_plan import Plan, parse_plan
from sgt_data.experiment.split_opening import Opening
from sgt_data.field_errors import field_problems
from sgt_data.field_words import either
from sgt_data.manifest.manifest import Manifest, parse_manifest
from sgt_data.prompts.own_lines import OwnLines
from sgt_data.proxies.registry import proxy_kinds
from sgt_data.sources.registry import source_kinds
from sgt_data.training.config import TrainConfig, parse_config
from sgt_data.value_text import cut

DOCUMENTS: list[Any] = [Manifest, TrainConfig, Plan, RunResult, Opening, OwnLines]
WRONG: list[Any] = [
    *("abc", "", None, [], [1], ["a", 1], {}, {"x": 1}, -1, 10**30, 2.5, float("nan"), True, b"x"),
    *(object(), [[]], "x" * 100, [1, 2, 3], ["a", "b"], (0.1,), {"x": {}}),
]
THEIRS = ("Input ", "String ", "Tuple ", "List ", "Field ", "Value ", "Unable", "an instance")


def _models() -> list[Any]:
    kinds = (source_kinds(), annotator_kinds(), proxy_kinds())
    return [*DOCUMENTS, *(kind[name] for kind in kinds for name in kind)]


def _problems(model: Any) -> Iterator[str]:
    adapter: TypeAdapter[Any] = TypeAdapter(model)
    fields = getattr(model, "model_fields", None) or model.__pydantic_fields__
    for document in [*WRONG, *({field: value} for field in fields for value in WRONG)]:
        try:
            adapter.validate_python(document)
        except ValidationError as why:
            yield from field_problems(why, model)


@pytest.mark.parametrize("model", _models(), ids=lambda model: model.__name__)
def test_no_message_of_pydantic_reaches_a_person(model: Any) -> None:
    problems = list(_problems(model))
    assert problems
    for problem in problems:
        place, _, words = problem.partition(": ")
        assert not any(text in words for text in THEIRS), problem
        assert not set("[()]") & set(place), problem  # pydantic's names of the kinds of a union


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": "abc"}, "seed: found 'abc'; must be a whole number"),
        ({"seed": 1.5}, "seed: found 1.5; must be a whole number"),
        ({"shard_samples": 0}, "shard_samples: found 0; must be 1 or more"),
        ({"sources": 3}, "sources: found 3; must be a list"),
        ({"sources": []}, "sources: found []; must be a list of 1 or more"),
        ({"pictures": 3}, "pictures: found 3; must be `field: value` pairs"),
        ({"seed": 2**63}, f"seed: found {2**63}; must be less than {2**63}"),
    ],
)
def test_a_wrong_field_of_a_manifest_says_what_was_found_and_what_is_right(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ManifestError) as raised:
        parse_manifest({"name": "n", **change})
    assert f"  {message}\n" in f"{raised.value}\n"


@pytest.mark.parametrize(
    ("tars", "message"),
    [
        (5, "sources.0.tars: found 5; must be text or a list"),
        (["a.tar", 5], "sources.0.tars.1: found 5; must be text"),
    ],
)
def test_a_field_of_several_kinds_is_named_once_at_the_place_that_was_written(
    tars: Any, message: str
) -> None:
    with pytest.raises(ManifestError) as raised:
        parse_manifest({"name": "n", "sources": [{"type": "sa1b", "tars": tars}]})
    assert f"  {message}\n" in f"{raised.value}\n"
    assert str(raised.value).count("tars") == 1


def test_plans_and_configurations_speak_the_same_words() -> None:
    with pytest.raises(RequestError, match=r"^steps: found 'many'; must be a whole number$"):
        parse_config({"data": {"corpus": "c", "questions": "q"}}, ["steps=many"])
    with pytest.raises(RequestError, match=r"^seeds\.0: found 'x'; must be a whole number$"):
        parse_plan("train: {}\nproxies: [a]\nseeds: [x]\n")
    with pytest.raises(RequestError, match=r"^proxies\.0: found 3; must be text or a list$"):
        parse_plan("train: {}\nproxies: [3]\n")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "'a'"),
        ("a" * 30, "'aaaaaaa…'"),
        ("\\" * 30, "'…'"),
        (b"a" * 30, "b'aaaaaa…'"),
        ([100] * 9, "[100, 10…]"),
        ({"a": "b" * 9}, "{'a': 'b…}"),
        (10**20, "100000000…"),
    ],
)
def test_a_long_value_is_cut_within_its_quotes(value: Any, text: str) -> None:
    assert cut(value, 10) == text
    assert len(text) <= 10


def test_words_of_several_kinds_make_one_sentence() -> None:
    assert either(["must be text", "must be a list", "must be text"]) == "must be text or a list"
    assert either(["must fit", "must be a list"]) == "must fit or be a list"
