"""Megatron Energon itself: what its `prepare` writes, what its loader gives of an export."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from joined_corpora import PROXIES, SAMPLES, build_joined
from PIL import Image
from trainer_code import python_of, run_script

import sgt_data
from sgt_data import export_corpus, open_corpus, verify_corpus
from sgt_data.corpus.paths import INPUT
from sgt_data.names import SUBSET_SUFFIX

pytestmark = pytest.mark.trainers
INPUTS = ("embedded", "shared")
PREPARE = ("prepare", "--non-interactive", "--no-progress", "--num-workers", "2",
           "--split-ratio", "1,0,0", "--sample-type", "CrudeWebdataset")  # fmt: skip


@pytest.fixture(scope="module")
def python() -> Path:
    return python_of("energon")


@pytest.fixture(scope="module")
def corpora(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return build_joined(sample_sources, tmp_path_factory.mktemp("corpora"))


@pytest.fixture(scope="module")
def exports(corpora: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("exports")
    for inputs in INPUTS:
        export_corpus(corpora[inputs], root / inputs, "energon")
    return {inputs: root / inputs for inputs in INPUTS}


def energon(python: Path, *arguments: object, modules: Path | None = None) -> str:
    """Run energon's own command; what it says."""
    command = [python.parent / "energon", *map(str, arguments)]
    variables = os.environ | {"PYTHONPATH": str(modules or "")}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


def read(
    python: Path, export: Path, *jobs: tuple[str, dict[str, Any]]
) -> list[list[dict[str, Any]]]:
    """What energon's loader gives of data sets of an export, each with its options."""
    told = json.dumps([(f"{export}/{dataset}", options) for dataset, options in jobs])
    samples: list[list[dict[str, Any]]] = run_script(
        python, "read_energon.py", told, PYTHONPATH=str(export)
    )
    return samples


def pixels(picture: Image.Image) -> list[Any]:
    array = np.asarray(picture.convert("RGB"))
    return [*array.shape, hashlib.sha256(array.tobytes()).hexdigest()]


def in_corpus(corpus: Path, *proxies: str) -> list[dict[str, Any]]:
    """Oracle: the samples as our reader has them, decoded by Pillow."""
    samples = []
    for proxy in proxies:
        for sample in open_corpus(corpus).samples(proxy):
            shown, drawn = sample.pictures()
            facts = json.dumps(sample.facts, sort_keys=True).encode()
            samples.append({
                "key": sample.key, "instruction": sample.instruction, "proxy": proxy,
                "facts": hashlib.sha256(facts).hexdigest(),
                "input": pixels(shown), "target": pixels(drawn),
            })  # fmt: skip
    return samples


def in_order(samples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(samples, key=lambda sample: (sample["proxy"], sample["key"]))


def database(path: Path) -> dict[str, Any]:
    """Rows of both tables, and how they and their indexes are declared."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    tables = {
        name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall())
        for name in ("samples", "sample_parts")
    }
    declared = [
        ("".join((sql or "").replace("IF NOT EXISTS", "").split()), *others)
        for sql, *others in connection.execute(
            "SELECT sql, type, name, tbl_name FROM sqlite_master"
        )
    ]
    connection.close()
    return {**tables, "declared": sorted(declared)}


# --- prepare


@pytest.mark.parametrize("inputs", INPUTS)
def test_the_files_are_those_of_energon_prepare(
    inputs: str, python: Path, corpora: dict[str, Path], exports: dict[str, Path], tmp_path: Path
) -> None:
    corpus = Path(shutil.copytree(corpora[inputs], tmp_path / "corpus"))
    folders = ["panoptic", "generate-edge"] if inputs == "embedded" else ["edge", INPUT]
    tars, compared = 0, 0
    for folder in folders:
        energon(python, *PREPARE, corpus / folder)
        tars += len(list((corpus / folder).glob("*.tar")))
        for theirs in sorted((corpus / folder).rglob("*")):
            ours = exports[inputs] / theirs.relative_to(corpus)
            if theirs.name == "index.sqlite":
                assert database(theirs) == database(ours)
            elif theirs.is_file() and theirs.name != "index.uuid":  # which is drawn by chance
                assert theirs.read_bytes() == ours.read_bytes(), theirs
                compared += 1
    assert compared == 2 * tars + 3 * len(folders)
    verdict = verify_corpus(corpus)
    assert verdict.sound
    assert verdict.accepted == {"Megatron Energon": tars + 5 * len(folders)}


@pytest.mark.parametrize("inputs", INPUTS)
def test_the_indexes_of_joins_are_those_of_energon_prepare(
    inputs: str, python: Path, exports: dict[str, Path], tmp_path: Path
) -> None:
    export = Path(shutil.copytree(exports[inputs], tmp_path / "export"))
    joins = {place.relative_to(export): place.read_bytes() for place in export.rglob("*.bin")}
    assert len(joins) == (3 if inputs == "embedded" else 5)
    for place in joins:
        (export / place).unlink()
    energon(python, "prepare", export / "metadataset.yaml", modules=export)
    assert {p.relative_to(export): p.read_bytes() for p in export.rglob("*.bin")} == joins


def test_energon_finds_nothing_wrong(python: Path, exports: dict[str, Path]) -> None:
    export = exports["embedded"]
    arguments = ("--dataset-config", "pairs.yaml", export / "edge")
    energon(python, "lint", "--split-parts", "train", *arguments, modules=export)
    told = energon(python, "info", *arguments, modules=export)
    assert "(24 samples" in told and "`train`: 100%" in told


# --- its loader


@pytest.mark.parametrize("inputs", INPUTS)
def test_an_epoch_has_every_sample_of_every_proxy_once(
    inputs: str, python: Path, corpora: dict[str, Path], exports: dict[str, Path]
) -> None:
    every = "metadataset.yaml"
    epochs = read(
        python, exports[inputs],
        (every, {}), (every, {"workers": 2}), (every, {"workers": 2, "batch": 3}),
    )  # fmt: skip
    expected = in_order(in_corpus(corpora[inputs], *PROXIES))
    assert len(expected) == sum(SAMPLES.values())
    for given in epochs:
        assert in_order(given) == expected


def test_a_proxy_alone_and_a_folder_with_the_cooker_have_its_samples(
    python: Path, corpora: dict[str, Path], exports: dict[str, Path]
) -> None:
    proxies = ("panoptic", "denoise", "generate-edge")
    jobs = [(f"{proxy}/metadataset.yaml", {"workers": 2}) for proxy in proxies]
    *given, cooked = read(python, exports["shared"], *jobs, ("denoise", {}))
    expected = {proxy: in_order(in_corpus(corpora["shared"], proxy)) for proxy in proxies}
    assert [in_order(samples) for samples in given] == list(expected.values())
    assert in_order(cooked) == expected["denoise"]


def test_a_subset_has_its_samples_alone(
    python: Path, corpora: dict[str, Path], tmp_path: Path
) -> None:
    file = tmp_path / f"some{SUBSET_SUFFIX}"
    sgt_data.subset(corpora["shared"], 0.4, file=file)
    export_corpus(file, tmp_path / "out", "energon")
    (given,) = read(python, tmp_path / "out", ("metadataset.yaml", {"workers": 2}))
    assert in_order(given) == in_order(in_corpus(file, *PROXIES))
    assert 0 < len(given) < sum(SAMPLES.values()) / 2


def test_ranges_give_a_validation_split(
    python: Path, exports: dict[str, Path], tmp_path: Path
) -> None:
    """As the documentation shows it: for whole samples, and for a join."""
    export = Path(shutil.copytree(exports["shared"], tmp_path / "export"))
    for proxy in ("denoise", "edge"):
        part = {"path": f"{proxy}/metadataset.yaml", "split_part": "train"}
        (export / f"{proxy}.yaml").write_text(json.dumps({
            "__module__": "megatron.energon", "__class__": "MetadatasetV2",
            "splits": {
                "train": part | {"subset": {"range": ["0%", "75%"]}},
                "val": part | {"subset": {"range": ["75%", "100%"]}},
            },
        }))  # fmt: skip
    jobs = [(f"{proxy}.yaml", {"split": split}) for proxy in ("denoise", "edge")
            for split in ("train", "val")]  # fmt: skip
    keys = [{sample["key"] for sample in split} for split in read(python, export, *jobs)]
    assert list(map(len, keys)) == [18, 6, 18, 6]
    assert len(keys[0] | keys[1]) == len(keys[2] | keys[3]) == 24
