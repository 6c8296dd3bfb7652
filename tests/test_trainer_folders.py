"""Trainers of image-editing models read an export of folders: their own data code, every pixel and
text compared with the corpus."""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making import built, proxy_of
from picture_pairs import PROXIES, SAMPLES, build_pairs, write_sources
from PIL import Image
from trainer_code import checkout_of, python_of, run_script

from sgt_data import open_corpus
from sgt_data.corpus.sample import Sample
from sgt_data.exports.export import export_corpus

pytestmark = pytest.mark.trainers

Change = Callable[[Image.Image], Image.Image]
Rows = list[list[str]]
Read = dict[str, dict[str, Any]]
"""By proxy and script or model: what a trainer's code read."""

DEEP = "depth"
"""The proxy whose targets have 16 bits."""


class Pairs:
    """A corpus and its export."""

    def __init__(self, corpus: Path, output: Path) -> None:
        self.corpus = open_corpus(str(corpus))
        self.report = export_corpus(str(corpus), str(output), "folders")
        self.output = output

    def expected(
        self, proxy: str, change: Callable[[Image.Image], Image.Image] | None = None
    ) -> Rows:
        """Text, input and target of each sample as Pillow decodes them.

        Args:
            proxy: whose samples.
            change: what is done to each picture.
        """

        def digest(data: bytes) -> str:
            with Image.open(io.BytesIO(data)) as image:
                picture = image.convert("RGB")
            return described(change(picture) if change else picture)

        return [[s.instruction, digest(s.input), digest(s.target)] for s in self.samples(proxy)]

    def samples(self, proxy: str) -> Iterator[Sample]:
        return self.corpus.samples(proxy)

    def resized(self, trainer: str) -> int:
        """How many samples a trainer resizes, by the report's note."""
        notes = [note for note in self.report.notes if "these trainers resize" in note]
        stated = re.findall(rf"{trainer} ([\d,]+)", "".join(notes))
        return int(stated[0].replace(",", "")) if stated else 0


def described(picture: Any) -> str:
    """As `tests/trainers/pixels.py` prints a picture."""
    pixels = np.ascontiguousarray(np.asarray(picture, np.uint8))
    height, width, _ = pixels.shape
    return f"{width}x{height} {hashlib.sha256(pixels.tobytes()).hexdigest()}"


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pairs]:
    root = tmp_path_factory.mktemp("pairs")
    write_sources(root / "sources")
    made = {}
    for name in ("squares", "varied"):
        build_pairs(root / "sources", root / name, name)
        made[name] = Pairs(root / name, root / f"{name} as folders")
    return made


def read(
    script: str, pairs: dict[str, Pairs], proxies: Sequence[str] = PROXIES, **variables: str
) -> dict[str, Read]:
    """What a script reads of the exports, by their names."""
    exports = [made.output for made in pairs.values()]
    found = run_script(python_of("folders"), script, ",".join(proxies), *exports, **variables)
    return {name: found[made.output.name] for name, made in pairs.items()}


def test_diffsynth_studio_reads_every_pixel(pairs: dict[str, Pairs]) -> None:
    for name, found in read("read_diffsynth.py", pairs).items():
        for proxy in PROXIES:
            expected = pairs[name].expected(proxy)
            assert found[proxy] == {"Qwen-Image-Edit": expected, "FLUX.1-Kontext-dev": expected}


def test_musubi_tuner_reads_every_pixel(pairs: dict[str, Pairs]) -> None:
    code = checkout_of("musubi-tuner") / "src"
    for name, found in read("read_musubi.py", pairs, PYTHONPATH=str(code)).items():
        for proxy in PROXIES:
            expected = pairs[name].expected(proxy)
            assert found[proxy] == {"FLUX.1 Kontext": expected, "Qwen-Image-Edit": expected}


def test_ai_toolkit_reads_every_pixel_and_doubles_spaces_behind_commas(
    pairs: dict[str, Pairs],
) -> None:
    code = checkout_of("ai-toolkit")
    for name, found in read("read_ai_toolkit.py", pairs, PYTHONPATH=str(code)).items():
        for proxy in PROXIES:
            rows = pairs[name].expected(proxy)
            keys = [sample.key for sample in pairs[name].samples(proxy)]
            texts = [", ".join(text.split(",")) for text, *_ in rows]
            assert texts != [text for text, *_ in rows]
            expected = {
                key: [text, *row[1:]] for key, text, row in zip(keys, texts, rows, strict=True)
            }
            assert found[proxy] == {"loader": expected}


def test_diffusers_scripts_read_every_text(pairs: dict[str, Pairs]) -> None:
    """The Kontext script keeps every pixel; instruct_pix2pix keeps squares and resizes the rest."""
    examples = checkout_of("diffusers") / "examples"
    folders = f"{examples / 'instruct_pix2pix'}{os.pathsep}{examples / 'dreambooth'}"
    for name, found in read("read_diffusers.py", pairs, PYTHONPATH=folders).items():
        side = {"squares": 64, "varied": 256}[name]
        to_square = partial(
            Image.Image.resize, size=(side, side), resample=Image.Resampling.BICUBIC
        )
        for proxy in PROXIES:
            expected = pairs[name].expected(proxy)
            assert found[proxy]["train_dreambooth_lora_flux_kontext"] == expected
            resized = pairs[name].expected(proxy, to_square)
            assert found[proxy]["instruct_pix2pix"] == resized
            assert (resized == expected) == (name == "squares")


@pytest.fixture(scope="module")
def simpletuner(pairs: dict[str, Pairs]) -> dict[str, Read]:
    return read("read_simpletuner.py", pairs)


def test_simpletuner_reads_every_pixel_of_squares(
    pairs: dict[str, Pairs], simpletuner: dict[str, Read]
) -> None:
    for proxy in PROXIES:
        expected = pairs["squares"].expected(proxy)
        if proxy == DEEP:  # it scales 16 bits to 8 where the others clip
            for row, sample in zip(expected, pairs["squares"].samples(proxy), strict=True):
                with Image.open(io.BytesIO(sample.target)) as image:
                    levels = np.rint(np.asarray(image, np.float64) / 257)
                row[2] = described(np.repeat(levels[..., None], 3, 2))
        assert simpletuner["squares"][proxy]["sampler"] == expected


def test_simpletuner_resizes_what_the_export_says(
    pairs: dict[str, Pairs], simpletuner: dict[str, Read]
) -> None:
    resized = 0
    for proxy in PROXIES:
        rows, expected = simpletuner["varied"][proxy]["sampler"], pairs["varied"].expected(proxy)
        assert [row[0] for row in rows] == [row[0] for row in expected]
        assert all(row[1].split()[0] == row[2].split()[0] for row in rows)  # cropped alike
        resized += sum(a[1] != b[1] for a, b in zip(rows, expected, strict=True))
    assert pairs["varied"].resized("SimpleTuner") == resized == SAMPLES * len(PROXIES)


def test_of_real_pictures_trainers_resize_as_many_as_the_export_says(
    real_data: Path, tmp_path: Path
) -> None:
    source = {"type": "coco", "root": str(real_data / "coco"), "annotations": ["panoptic"]}
    assert built(tmp_path / "real", source, [proxy_of("panoptic")], pictures={}).succeeded
    real = Pairs(tmp_path / "real", tmp_path / "real as folders")
    expected = real.expected("panoptic")
    examples = checkout_of("diffusers") / "examples"
    folders = f"{examples / 'instruct_pix2pix'}{os.pathsep}{examples / 'dreambooth'}"
    found = {}
    for script, path in (("read_diffusers.py", folders), ("read_simpletuner.py", "")):
        exports = read(script, {"real": real}, ["panoptic"], PYTHONPATH=path)
        found |= exports["real"]["panoptic"]
    named = {
        "instruct_pix2pix": "instruct-pix2pix", "sampler": "SimpleTuner",
        "train_dreambooth_lora_flux_kontext": "diffusers' Kontext script",
    }  # fmt: skip
    for script, trainer in named.items():
        rows = found[script]
        assert [row[0] for row in rows] == [row[0] for row in expected]
        resized = sum(row[2] != kept[2] for row, kept in zip(rows, expected, strict=True))
        assert real.resized(trainer) == resized > 0
    assert real.resized("DiffSynth-Studio, musubi-tuner and ai-toolkit") == 0
