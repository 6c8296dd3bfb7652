"""Arguments of programs: a wrong one is named with what was found and what is allowed; paths may be
texts or `pathlib.Path`s everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from making import built, sa1b_members, tar_of
from stream_options import grouped

from sgt_data import (
    IN_PROCESS,
    Cluster,
    Ordering,
    QuestionPlan,
    Reading,
    RequestError,
    Stream,
    SubsetRule,
    Topology,
    build_corpus,
    export_corpus,
    load_manifest,
    open_corpus,
    parse_manifest,
    push_corpus,
    subset,
    verify_corpus,
    write_samples,
)
from sgt_data.annotators.base import Setup
from sgt_data.errors import CorpusError
from sgt_data.stream.sample_views import CropAndFlip
from sgt_data.stream.transforms import Pictures
from sgt_data.trainers.omnigen2 import SizeLimits

SETUP = {
    "device": "cpu", "device_class": "cpu", "dtype": "float32", "batch_size": 1, "weights": "",
    "revision": None, "libraries": {},
}  # fmt: skip

WRONG: list[tuple[Callable[..., Any], str, Any, str]] = [
    (Ordering, "shuffle", "no", "True, False"),
    (Ordering, "window", 0, "from 1 on"),
    (Ordering, "window", 2.0, "whole number"),
    (Ordering, "window", True, "whole number"),
    (Ordering, "last", "x", "carry, drop, pad"),
    (Ordering, "epoch_of", 3, "a text"),
    (Reading, "fraction", 25, "25 % is 0.25"),
    (Reading, "fraction", 0, "above 0 and at most 1"),
    (Reading, "fraction", float("nan"), "above 0 and at most 1"),
    (Reading, "instructions", "Stored", "stored, resampled, held-out"),
    (Reading, "images", 3, "a path or URL"),
    (Reading, "on_error", "Raise", "raise, skip"),
    (Reading, "skip_max", 5, "5 % is 0.05"),
    (Reading, "skip_max", -0.1, "0 to 1"),
    (Reading, "skip_max", "0.1", "0 to 1"),
    (Reading, "checksums", 1, "True, False"),
    (Reading, "cache", b"folder", "a path or URL"),
    (Reading, "cache_bytes", 1e9, "whole number"),
    (Reading, "cache_bytes", 0, "from 1 on"),
    (Topology, "rank", -1, "from 0 on"),
    (Topology, "rank", 1, "0 to 0"),
    (Topology, "world", 0, "from 1 on"),
    (Topology, "world", 2.5, "whole number"),
    (QuestionPlan, "seed", 1.5, "whole number"),
    (QuestionPlan, "tasks", 7, "a list of texts"),
    (QuestionPlan, "tasks", ["counting"], "count, presence, position, relation, nearer"),
    (QuestionPlan, "per_picture", 0, "from 1 to"),
    (QuestionPlan, "per_task", 2.5, "whole number"),
    (QuestionPlan, "shares", {"train": "0.5"}, "0 to 1"),
    (QuestionPlan, "shares", {"training": 0.5}, "train, val, test"),
    (SubsetRule, "seed", "1", "whole number"),
    (SubsetRule, "seed", -1, f"0 to {2**63 - 1}"),
    (SubsetRule, "strata", "class", "source, segments, category"),
    (SubsetRule, "where", "", "a text"),
    (SubsetRule, "described_by", 1, "a text"),
    (SubsetRule, "whole_shards", 1, "True, False"),
    (Cluster, "workers", -1, "from 0 on"),
    (Cluster, "workers", 1.5, "whole number"),
    (Cluster, "address", "", "host:port"),
    (SizeLimits, "max_input_pixels", 0, "from 1 on"),
    (SizeLimits, "max_side_length", 1.5, "whole number"),
    (Pictures, "form", "tf", "pil, numpy, torch"),
    (Pictures, "size", 512, "SizeRule"),
    (Pictures, "augment", True, "CropAndFlip"),
    (lambda **more: Setup(**SETUP | more), "device", "tpu", "cpu, cuda"),
    (lambda **more: Setup(**SETUP | more), "batch_size", 0, "from 1 on"),
    *(
        (lambda **more: CropAndFlip(**{"crop": (0.5, 1), "flip": 0, "seed": 0} | more), *case)
        for case in (
            ("crop", 0.5, "least and greatest"),
            ("crop", (0.9, 0.5), "the least first"),
            ("crop", (0, 0.5), "above 0"),
            ("flip", 50, "50 % is 0.5"),
            ("seed", 0.5, "whole number"),
            ("epoch", -1, "from 0 on"),
        )
    ),
]


@pytest.mark.parametrize(("make", "name", "value", "allowed"), WRONG)
def test_a_wrong_option_is_named_with_what_is_allowed(
    make: Callable[..., Any], name: str, value: Any, allowed: str
) -> None:
    with pytest.raises(RequestError) as why:
        make(**{name: value})
    message = str(why.value)
    assert "found" in message and allowed in message
    assert name in message or name in ("images", "cache")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("arguments")
    (root / "sa_000000.tar").write_bytes(tar_of(sa1b_members(6)))
    source = {"type": "sa1b", "tars": root / "sa_000000.tar"}
    assert built(root / "out", source, [{"type": "edge"}], inputs="shared").succeeded
    return root / "out"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": 1.5}, "seed: found 1.5; allowed: a whole number"),
        ({"batch_size": 0}, "batch_size: found 0"),
        ({"batch_size": 2.0}, "batch_size: found 2.0"),
        ({"transform": "pil"}, "transform: found 'pil'"),
        ({"order": {"window": 2}}, "order: found {'window': 2}; allowed: a value of Ordering"),
        ({"reading": 0.5}, "reading: found 0.5; allowed: a value of Reading"),
        ({"topology": (0, 2)}, "allowed: a value of Topology"),
        ({"mixture": ["edge"]}, "mixture: found"),
        ({"mixture": {"edge": "1"}}, "mixture at step 0: edge: found '1'"),
        ({"mixture": {0: 3}}, "mixture at step 0: found 3"),
        ({"mixture": {"edge": -1}}, "from 0 on"),
    ],
)
def test_a_wrong_argument_of_a_stream_is_named(
    corpus: Path, options: dict[str, Any], message: str
) -> None:
    arguments = {"batch_size": 2} | options
    with pytest.raises(RequestError, match=re.escape(message)):
        Stream({str(corpus): ["edge"]}, **arguments)


@pytest.mark.parametrize(
    "names",
    [lambda root: {root: ["edge", "edge"]}, lambda root: {root: "edge", f"{root}/": "edge"}],
)
def test_a_component_that_is_named_twice_is_not_read_twice(
    corpus: Path, names: Callable[[str], dict[str, Any]]
) -> None:
    with pytest.raises(RequestError, match=r"named twice.*larger weight"):
        Stream(names(str(corpus)), batch_size=2)


@pytest.mark.parametrize(
    "sources", [["a"], {"a": []}, {"a": None}, {"a": [1]}, {3: ["edge"]}, {b"a": ["edge"]}]
)
def test_wrong_sources_of_a_stream_are_named(sources: Any) -> None:
    with pytest.raises(RequestError, match="found"):
        Stream(sources, batch_size=2)


def test_a_state_of_something_else_is_refused(corpus: Path) -> None:
    stream = Stream({str(corpus): ["edge"]}, batch_size=2)
    good = stream.state_dict()
    for wrong in (
        {},
        None,
        [],
        good | {"step": "1"},
        good | {"step": -1},
        good | {"of_worker": 1.5},
    ):
        with pytest.raises(RequestError, match="no state of a stream"):
            stream.load_state_dict(wrong)  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="epoch: found"):
        stream.set_epoch(0.5)  # type: ignore[arg-type]


def test_numbers_of_numpy_are_numbers(corpus: Path) -> None:
    arguments = grouped(
        batch_size=np.int64(2), seed=np.int32(3), window=np.int8(2), rank=np.int64(0)
    )
    stream = Stream({str(corpus): ["edge"]}, **arguments)
    assert (
        stream.state_dict()
        == Stream({str(corpus): ["edge"]}, **grouped(batch_size=2, seed=3, window=2)).state_dict()
    )
    assert {type(value) for value in stream.state_dict()["stream"].values()} >= {int, str}
    for weight in (np.float32(1), np.int64(1), Fraction(1)):
        weighted = Stream({str(corpus): ["edge"]}, batch_size=2, mixture={"edge": weight})
        assert next(iter(weighted))["step"] == 0
        assert orjson.loads(orjson.dumps(weighted.state_dict())) == weighted.state_dict()


def test_a_rank_of_the_environment_that_is_no_number_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RANK", "one")
    with pytest.raises(RequestError, match="RANK: found 'one'"):
        Topology.of_torchrun()


def test_every_public_function_takes_paths(corpus: Path, tmp_path: Path) -> None:
    stored = {sample.key for sample in open_corpus(corpus).samples("edge")}
    assert verify_corpus(corpus, deep=True).sound
    stream = Stream(
        {corpus: ["edge"]}, batch_size=2, reading=Reading(cache=tmp_path, images=tmp_path)
    )
    assert {sample.key for batch in stream for sample in batch["samples"]} == stored
    half = tmp_path / "half.subset.parquet"
    assert subset(corpus, 0.5, file=half).complete and open_corpus(half).url == str(corpus)
    assert subset(half, output=tmp_path / "copy", cluster=IN_PROCESS).complete
    assert export_corpus(tmp_path / "copy", tmp_path / "export").complete
    assert push_corpus(corpus, "somebody/it", dry_run=True).corpus == str(corpus)
    assert write_samples(tmp_path / "drawn", 1, size=(64, 48)).complete
    tars = tmp_path / "drawn" / "sa1b" / "sa_000000.tar"
    manifest = parse_manifest(
        {"name": "p", "sources": [{"type": "sa1b", "tars": [tars]}], "proxies": [{"type": "edge"}]}
    )
    assert build_corpus(manifest, tmp_path / "built", cluster=IN_PROCESS).succeeded
    text = f"name: p\nsources: [{{type: sa1b, tars: {tars}}}]\nproxies: [{{type: edge}}]\n"
    (tmp_path / "p.yaml").write_text(text)
    assert load_manifest(tmp_path / "p.yaml").name == "p"
    assert build_corpus(tmp_path / "p.yaml", tmp_path / "built2", cluster=IN_PROCESS).succeeded


def test_one_name_as_a_text_is_a_list_of_one(corpus: Path, tmp_path: Path) -> None:
    assert open_corpus(corpus).finished("edge") == ("edge",)
    assert export_corpus(corpus, tmp_path / "export", proxies="edge").complete
    assert write_samples(tmp_path / "drawn", 1, size=(64, 48), forms="sa1b").forms == ("sa1b",)
    QuestionPlan(tasks="count")
    manifest = "name: p\nsources: [{type: sa1b, tars: a.tar}]\nproxies: [{type: edge}]\n"
    (tmp_path / "p.yaml").write_text(manifest)
    assert load_manifest(tmp_path / "p.yaml", "name=q").name == "q"


def test_a_path_object_of_a_url_is_refused() -> None:
    with pytest.raises(RequestError, match="takes a slash out of a URL"):
        open_corpus(Path("s3://bucket/corpus"))
    with pytest.raises((RequestError, CorpusError)):
        open_corpus(Path("/no:/such"))
