"""A wrong name is answered with those that are allowed, and the nearest of them, wherever it is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from making import SMALL, built

import sgt_data
from sgt_data import RequestError
from sgt_data.experiment.plan.arms import TrainingData
from sgt_data.experiment.plan.arms_of_kind import arms_of
from sgt_data.experiment.plan.experiment_plan import parse_plan
from sgt_data.experiment.plan.proxy_names import with_corpus_proxies
from sgt_data.questions.answerable import answerable_tasks
from sgt_data.scenes.write_samples import write_samples
from sgt_data.stream.options import Ordering
from sgt_data.suggestions import did_you_mean, not_among
from sgt_data.training.config import parse_config

ENTITY = {"type": "segmentation", "variant": "entity"}


def manifest(**changes: Any) -> dict[str, Any]:
    source = {"type": "sa1b", "name": "sa", "tars": "sa_0.tar"}
    return {"name": "made", "sources": [source], "proxies": [ENTITY]} | changes


def loaded(tmp_path: Path, override: str) -> Any:
    place = tmp_path / "a.yaml"
    place.write_text(
        "name: made\nsources: [{type: sa1b, name: sa, tars: sa_0.tar}]\n"
        "proxies: [{type: segmentation, variant: entity}]\n"
    )
    return sgt_data.load_manifest(place, [override])


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("suggestions")
    write_samples(folder / "sources", 1, size=(64, 48), forms=["sa1b"])
    source = {"type": "sa1b", "tars": f"{folder}/sources/sa1b/*.tar"}
    built(folder / "corpus", source, [ENTITY | {"name": "entity"}], pictures=SMALL)
    return str(folder / "corpus")


Refuses = Callable[[], Any]
OF_DATA: dict[str, tuple[Refuses, str, str]] = {
    "field of a manifest": (
        lambda: sgt_data.parse_manifest(manifest(sede=1)), "shard_samples", "seed"
    ),
    "field of a rule": (
        lambda: sgt_data.parse_manifest(manifest(pictures={"max_sides": 1})), "icc", "max_side"
    ),
    "field of a source": (
        lambda: sgt_data.parse_manifest(
            manifest(sources=[{"type": "sa1b", "tar": "x"}])
        ),
        "links", "tars",
    ),
    "field of filters": (
        lambda: sgt_data.parse_manifest(
            manifest(proxies=[ENTITY | {"filters": {"min_aera": 1}}])
        ),
        "crowds", "min_area",
    ),
    "kind of source": (
        lambda: sgt_data.parse_manifest(manifest(sources=[{"type": "cocoa"}])), "sa1b", "coco"
    ),
    "kind of proxy": (
        lambda: sgt_data.parse_manifest(manifest(proxies=[{"type": "depht"}])), "boxes", "depth"
    ),
    "kind of proxy, with a hyphen": (
        lambda: sgt_data.parse_manifest(manifest(proxies=[{"type": "Super-Resolution"}])),
        "boxes", "super_resolution",
    ),
    "kind of annotator": (
        lambda: sgt_data.parse_manifest(manifest(annotators=[{"type": "depth-anything"}])),
        "sam", "depth_anything",
    ),
    "variant": (
        lambda: sgt_data.parse_manifest(
            manifest(proxies=[{"type": "segmentation", "variant": "entities"}])
        ),
        "instance", "entity",
    ),
    "palette": (
        lambda: sgt_data.parse_manifest(manifest(proxies=[ENTITY | {"palette": "tab10"}])),
        "distinct", "tab20",
    ),
    "source of a proxy": (
        lambda: sgt_data.parse_manifest(manifest(proxies=[ENTITY | {"sources": ["sa1"]}])),
        "sa", "sa",
    ),
    "annotator of a proxy": (
        lambda: sgt_data.parse_manifest(
            manifest(
                annotators=[{"type": "depth_anything"}],
                proxies=[{"type": "depth", "annotator": "depth_anything"}],
            )
        ),
        "depth-anything", "depth-anything",
    ),
    "field of a configuration": (
        lambda: parse_config({"data": {"corpus": "a", "questions": "b"}, "stepz": 1}),
        "accumulate", "steps",
    ),
    "field in a configuration": (
        lambda: parse_config({"data": {"corpus": "a", "questions": "b", "fractoin": 1}}),
        "blind", "fraction",
    ),
    "optimiser": (
        lambda: parse_config(
            {"data": {"corpus": "a", "questions": "b"}, "optimiser": "adam"}
        ),
        "muon", "adamw",
    ),
    "field of a plan": (
        lambda: parse_plan("{train: {}, proxies: [depth], ladders: [2]}"), "seeds", "ladder"
    ),
    "arm of a plan": (
        lambda: arms_of(
            "scale",
            parse_plan(
                "{train: {}, proxies: [depth], ladder: [2], settings: {untraind: {seed: 1}}}"
            ),
            TrainingData("c", 4, "q"),
        ),
        "questions alone", "untrained",
    ),
    "proxy of a plan": (
        lambda: with_corpus_proxies(
            parse_plan("{train: {}, proxies: [panoptik]}"),
            [{"type": "segmentation", "variant": "panoptic", "name": "panoptic"}],
        ),
        "panoptic", "panoptic",
    ),
    "option of a stream": (lambda: Ordering(last="cary"), "drop", "carry"),  # type: ignore[arg-type]
    "task of questions": (lambda: answerable_tasks([], None, ["cuont"]), "presence", "count"),
    "scenes": (
        lambda: sgt_data.write_samples("nowhere", 1, scenes="simpel"),  # type: ignore[arg-type]
        "varied", "simple",
    ),
    "form of scenes": (
        lambda: sgt_data.write_samples("nowhere", 1, forms=["coc"]),  # type: ignore[list-item]
        "sa1b", "coco",
    ),
    "proxy to describe": (lambda: sgt_data.describe_proxy("colourization"), "mae", "colorization"),
    "source to describe": (lambda: sgt_data.describe_source("folders"), "tars", "folder"),
    "annotator to describe": (lambda: sgt_data.describe_annotator("edge"), "sam", "edges"),
    "palette to describe": (lambda: sgt_data.describe_palette("categories"), "tab20", "category"),
    "list of kinds": (lambda: sgt_data.list_kinds("proxys"), "sources", "proxies"),  # type: ignore[arg-type]
}  # fmt: skip


@pytest.mark.parametrize("place", OF_DATA)
def test_a_wrong_name_is_answered_with_the_allowed_and_the_nearest(place: str) -> None:
    make, allowed, nearest = OF_DATA[place]
    with pytest.raises(RequestError) as refused:
        make()
    message = str(refused.value)
    assert f"; did you mean {nearest}?" in message, message
    assert allowed in message, message


@pytest.mark.parametrize(
    ("override", "nearest"),
    [
        ("pictures.max_sied=64", "max_side"),
        ("sources.sa1.tars=x", "sa"),
        ("proxies.segmentatoin.variant=entity", "segmentation"),
        ("shard_sample=4", "shard_samples"),
    ],
)
def test_a_wrong_path_of_set_is_answered_with_the_nearest(
    tmp_path: Path, override: str, nearest: str
) -> None:
    with pytest.raises(RequestError, match=rf"did you mean {nearest}\?"):
        loaded(tmp_path, override)


OF_CORPUS: dict[str, tuple[Callable[[str], Any], str]] = {
    "proxy of a corpus": (lambda corpus: sgt_data.open_corpus(corpus).shards("entitiy"), "entity"),
    "proxy of a stream": (
        lambda corpus: sgt_data.Stream({corpus: ["entities"]}, batch_size=1), "entity"
    ),
    "proxy of an export": (
        lambda corpus: sgt_data.export_corpus(corpus, "nowhere", "bagel", proxies=["enttiy"]),
        "entity",
    ),
    "format of an export": (
        lambda corpus: sgt_data.export_corpus(corpus, "nowhere", "begal"), "bagel"
    ),
    "component of a mixture": (
        lambda corpus: sgt_data.Stream({corpus: ["entity"]}, mixture={"entit": 1}, batch_size=1),
        "entity",
    ),
    "strata of a subset": (
        lambda corpus: sgt_data.subset(
            corpus, 0.5, rule=sgt_data.SubsetRule(strata="sources")  # type: ignore[arg-type]
        ),
        "source",
    ),
}  # fmt: skip


@pytest.mark.parametrize("place", OF_CORPUS)
def test_a_name_that_a_corpus_lacks_is_answered_with_the_nearest(place: str, corpus: str) -> None:
    make, nearest = OF_CORPUS[place]
    with pytest.raises(RequestError, match=rf"did you mean {nearest}\?"):
        make(corpus)


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [(["buidl"], "build"), (["info", "--jsno"], "--json"), (["schema", "--of", "trian"], "train")],
)
def test_wrong_commands_and_options_are_answered_with_the_nearest(
    arguments: list[str], nearest: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sgt_data", *arguments], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2
    assert nearest in done.stderr
    assert "Traceback" not in done.stderr


def test_a_name_that_is_like_none_gets_no_suggestion() -> None:
    assert did_you_mean("xyz", ["depth", "edge"]) == ""
    assert did_you_mean(7, ["depth"]) == ""
    assert did_you_mean("depth", []) == ""
    assert not_among("xyz", ["depth", "edge"]) == "found 'xyz'; allowed: depth, edge"
