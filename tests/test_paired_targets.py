"""The targets of pairs: kept, sampled or resized, audited, decoded by what is known, scored."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making import UPRIGHT, built, encoded, jpeg, ledger_in, samples_in
from numpy.typing import NDArray
from pairing import (
    PAIRED,
    SIZE,
    edited,
    folders_source,
    pixels_of,
    png,
    reused_colours,
    sam_sgt,
    write,
)
from PIL import Image
from scipy import ndimage

from sgt_data import CorpusError, RequestError, Stream, decode, open_corpus, score, verify_corpus
from sgt_data.corpus.sample import Sample
from sgt_data.subsets.rule import SubsetRule
from sgt_data.subsets.subset import subset

WIDE = 192, 128
"""Twice `SIZE`: the size rule halves it."""


def corpus_of(root: Path, *pairs: tuple[bytes, bytes], proxy: Any = None) -> list[Sample]:
    """The samples of pairs of picture and target files, in order."""
    for number, (picture, target) in enumerate(pairs):
        write(root / "in", {f"p/{number}.jpg": picture, f"t/{number}.png": target})
    source = {"type": "pairs", "pictures": f"{root}/in/p", "targets": f"{root}/in/t"}
    lines = {"instructions": "segmentation_entity"}
    built(root / "out", source, [{"type": "paired", **lines, **(proxy or {})}])
    verdict = verify_corpus(str(root / "out"), deep=True)
    assert verdict.sound, verdict.findings
    return list(open_corpus(str(root / "out")).samples("paired"))


def under_centres(pixels: NDArray[Any], width: int, height: int) -> NDArray[Any]:
    """The rule of the design, a pixel at a time."""
    rows, columns = pixels.shape[:2]
    return np.array(
        [
            [pixels[int((y + 0.5) * rows / height), int((x + 0.5) * columns / width)]
             for x in range(width)]
            for y in range(height)
        ]
    )  # fmt: skip


# --- what is stored


def test_bytes_are_kept_where_no_resize_is_needed(tmp_path: Path) -> None:
    """Also where the target has the output's size and the picture another one."""
    labels, photo = png(reused_colours(*SIZE)), encoded(Image.fromarray(edited(*SIZE)), quality=80)
    first, second = corpus_of(tmp_path, (jpeg(*SIZE), labels), (jpeg(*WIDE), photo))
    assert (first.target, first.extension) == (labels, "png")
    assert (second.target, second.extension) == (photo, "jpg")
    assert [each.facts["stored"] for each in (first, second)] == ["as it is"] * 2
    assert [each.facts["audit"]["same_size"] for each in (first, second)] == [True, False]


@pytest.mark.parametrize("size", [WIDE, (180, 120), (60, 40)])
def test_a_map_of_another_size_is_sampled_under_the_centres(
    size: tuple[int, int], tmp_path: Path
) -> None:
    pixels = reused_colours(*size)
    (sample,) = corpus_of(tmp_path, (jpeg(*WIDE), png(pixels)))
    assert sample.facts["stored"] == "nearest centre"
    assert (pixels_of(sample.target) == under_centres(pixels, *SIZE)).all()


def test_a_map_of_more_colours_than_a_palette_has_is_sampled_too(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    tiles = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    pixels = np.repeat(np.repeat(tiles, 8, 0), 8, 1)[:160, :240]
    (sample,) = corpus_of(tmp_path, (jpeg(240, 160), png(pixels)))
    assert sample.facts["audit"]["colors"] == 600
    assert (pixels_of(sample.target) == under_centres(pixels, *SIZE)).all()


def test_a_picture_of_another_size_is_resized_as_input_pictures_are(tmp_path: Path) -> None:
    target = encoded(Image.fromarray(edited(*WIDE)), quality=95)
    sample, same = corpus_of(tmp_path, (jpeg(*WIDE), target), (target, target))
    assert (sample.facts["stored"], sample.extension) == ("bicubic", "jpg")
    assert same.target == same.input, "the way of the input picture"
    assert sample.target == same.target


def test_codes_of_16_bits_are_kept_and_sampled(tmp_path: Path) -> None:
    codes = np.arange(WIDE[0] * WIDE[1], dtype=np.uint16).reshape(WIDE[::-1])
    (sample,) = corpus_of(tmp_path, (jpeg(*WIDE), encoded(Image.fromarray(codes), "PNG")))
    with Image.open(io.BytesIO(sample.target)) as image:
        assert (np.asarray(image) == under_centres(codes, *SIZE)).all()


@pytest.mark.parametrize("form", ["WEBP", "GIF", "BMP", "TIFF"])
def test_other_formats_become_png_or_jpeg(form: str, tmp_path: Path) -> None:
    pixels = reused_colours(*SIZE)
    options: dict[str, Any] = {"lossless": True} if form == "WEBP" else {}
    (sample,) = corpus_of(
        tmp_path, (jpeg(*SIZE), encoded(Image.fromarray(pixels), form, **options))
    )
    assert (sample.facts["stored"], sample.facts["audit"]["format"]) == ("as PNG", form)
    assert (pixels_of(sample.target) == pixels).all()


def test_transparent_parts_are_laid_over_white_and_opaque_layers_are_kept(tmp_path: Path) -> None:
    pixels = np.dstack([reused_colours(*SIZE), np.full(SIZE[::-1], 255, np.uint8)])
    opaque = encoded(Image.fromarray(pixels), "PNG")
    pixels[:10, :10, 3] = 0
    first, second = corpus_of(
        tmp_path, (jpeg(*SIZE), opaque), (jpeg(*SIZE), encoded(Image.fromarray(pixels), "PNG"))
    )
    assert first.target == opaque
    assert (pixels_of(second.target)[:10, :10] == 255).all()


@pytest.mark.parametrize("orientation", [2, 3, 6, 7, 8])
def test_a_target_of_a_turned_picture_lies_on_the_pixels_whose_size_it_has(
    orientation: int, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture, stored = jpeg(*WIDE, exif=exif.tobytes()), reused_colours(*WIDE)
    seen = np.stack([UPRIGHT[orientation](stored[..., c]) for c in range(3)], axis=-1)
    samples = corpus_of(tmp_path, (picture, png(stored)), (picture, png(seen)))
    expected = under_centres(seen, *SIZE[:: 1 if seen.shape[1] > seen.shape[0] else -1])
    assert (pixels_of(samples[0].target) == expected).all()
    if orientation >= 5:  # a half turn leaves the size: the stored pixels are meant
        assert (pixels_of(samples[1].target) == expected).all()


def test_a_target_of_another_shape_is_damaged(tmp_path: Path) -> None:
    samples = corpus_of(
        tmp_path, (jpeg(*WIDE), png(reused_colours(192, 122))),
        (jpeg(*WIDE), png(reused_colours(192, 110))),
    )  # fmt: skip
    assert len(samples) == 1
    (row,) = ledger_in(tmp_path / "out", "paired")
    assert "their shapes differ by 16%, max_stretch allows 5%" in row["reason"]


# --- what is known of it


def test_colours_and_areas_are_those_that_scipy_counts(tmp_path: Path) -> None:
    pixels = reused_colours(*SIZE, seed=4)
    (sample,) = corpus_of(tmp_path, (jpeg(*SIZE), png(pixels)))
    audit = sample.facts["audit"]
    assert (audit["kind"], audit["decodable"], audit["blended"]) == ("labels", "colors", 0.0)
    assert audit["colors"] == len(np.unique(pixels.reshape(-1, 3), axis=0)) == 6
    labels = decode(sample.target, sample.facts).labels
    for segment in sample.facts["segments"]:
        mask = (pixels == segment["color"]).all(axis=2)
        assert (labels == segment["label"]).sum() == mask.sum() == segment["visible_area"]
        assert (labels[mask] == segment["label"]).all()
        assert ndimage.label(mask)[1] == segment["areas"]
    assert sum(each["areas"] for each in sample.facts["segments"]) > 5, "colours are reused"
    assert (labels == 0).sum() == (pixels == 0).all(axis=2).sum()


@pytest.mark.parametrize(
    ("spoil", "kind", "why"),
    [
        (lambda image: image.resize((384, 256), Image.Resampling.NEAREST).resize(
            (390, 260), Image.Resampling.BICUBIC), "blended labels", "blends of the colours"),
        (lambda image: Image.open(io.BytesIO(encoded(image, quality=95))), "picture", "change"),
        (lambda _: Image.fromarray(edited(*SIZE)), "picture", "change little by little"),
        (lambda _: Image.linear_gradient("L").resize(SIZE), "picture", "change little by little"),
    ],
    ids=["resized", "of a jpeg", "edited photo", "ramp"],
)  # fmt: skip
def test_what_is_no_map_of_labels_is_said_to_be_none(
    spoil: Any, kind: str, why: str, tmp_path: Path
) -> None:
    spoiled = spoil(Image.fromarray(reused_colours(*SIZE, seed=4)))
    (sample,) = corpus_of(tmp_path, (jpeg(*SIZE), encoded(spoiled, "PNG")))
    audit = sample.facts["audit"]
    assert (audit["kind"], audit["decodable"]) == (kind, "no")
    assert why in audit["why"]
    with pytest.raises(CorpusError, match=r"made elsewhere and is not decoded: .*segments > 0"):
        decode(sample.target, sample.facts)
    with pytest.raises(RequestError, match="the first is not decoded, so nothing can be compared"):
        score(str(tmp_path / "out"), {sample.key: pixels_of(sample.target)}, proxy="paired")


def test_labels_alone_or_pictures_alone_can_be_asked_for(tmp_path: Path) -> None:
    pairs = (jpeg(*WIDE), png(reused_colours(*WIDE))), (jpeg(*WIDE), png(edited(*WIDE)))
    (kept,) = corpus_of(tmp_path / "a", *pairs, proxy={"targets": "labels"})
    assert kept.key == "pairs_0"
    (row,) = ledger_in(tmp_path / "a/out", "paired")
    assert row["kind"] == "filtered" and "is no map of labels" in row["reason"]
    samples = corpus_of(tmp_path / "b", *pairs, proxy={"targets": "pictures"})
    assert [each.facts["stored"] for each in samples] == ["bicubic"] * 2
    assert samples[0].facts["audit"]["why"] == "targets is pictures: its colours are no labels"


def test_a_colour_of_the_background_is_no_label(tmp_path: Path) -> None:
    pixels = reused_colours(*SIZE)
    pixels[(pixels == 0).all(axis=2)] = (255, 255, 255)
    (sample,) = corpus_of(
        tmp_path, (jpeg(*SIZE), png(pixels)), proxy={"unlabelled": [255, 255, 255]}
    )
    labels = decode(sample.target, sample.facts).labels
    assert ((labels == 0) == (pixels == 255).all(axis=2)).all()


def test_facts_that_do_not_fit_are_named_and_not_used(tmp_path: Path) -> None:
    root = sam_sgt(tmp_path / "in", 3)
    wrong = {"type": "segmentation", "segments": [], "size": {"width": 1, "height": 1}}
    write(root, {"facts/sa_0.json": json.dumps(wrong).encode(), "facts/sa_1.json": b"[" * 5000})
    built(tmp_path / "out", folders_source(root, facts=f"{root}/facts"), PAIRED)
    first, second = open_corpus(str(tmp_path / "out")).samples("paired")
    for sample, why in ((first, "do not fit: the target holds the colour"), (second, "not JSON")):
        assert sample.facts["audit"]["decodable"] == "colors" and sample.facts["taken"] == ""
        assert why in sample.facts["audit"]["why"]
    (row,) = ledger_in(tmp_path / "out", "paired")
    assert row["reason"] == "there is no facts of the name sa_2"


# --- what is done with it


def test_a_copy_of_a_target_scores_1_and_an_empty_drawing_0(tmp_path: Path) -> None:
    samples = corpus_of(
        tmp_path, *((jpeg(*SIZE, seed=n), png(reused_colours(*SIZE, seed=n))) for n in range(3))
    )
    out = str(tmp_path / "out")
    drawn = {sample.key: pixels_of(sample.target) for sample in samples}
    of_copy = score(out, drawn, proxy="paired").proxies["paired"].measures
    assert {name: of_copy[name].value for name in ("mIoU", "PQ", "AP")} == {
        "mIoU": 1.0, "PQ": 1.0, "AP": 1.0,
    }  # fmt: skip
    empty = {key: np.zeros_like(pixels) for key, pixels in drawn.items()}
    assert score(out, empty, proxy="paired").proxies["paired"].measures["mIoU"].value == 0.0


def test_areas_are_compared_and_not_colours(tmp_path: Path) -> None:
    """Colours are reused: the same areas in other colours are as right."""
    (sample,) = corpus_of(tmp_path, (jpeg(*SIZE), png(reused_colours(*SIZE, seed=4))))
    pixels = pixels_of(sample.target)
    areas = np.zeros(pixels.shape[:2], np.int64)
    for color in [segment["color"] for segment in sample.facts["segments"]]:
        numbers, _ = ndimage.label((pixels == color).all(axis=2))
        areas[numbers > 0] = numbers[numbers > 0] + areas.max()
    levels = np.linspace(60, 255, int(areas.max())).astype(np.uint8)
    other = np.zeros_like(pixels)
    rng = np.random.default_rng(0)
    table = np.stack([rng.permutation(levels) for _ in range(3)], axis=1)
    other[areas > 0] = table[areas[areas > 0] - 1]
    scored = score(
        str(tmp_path / "out"), {sample.key: other}, proxy="paired", decoding={"reach": 0}
    )
    assert scored.proxies["paired"].measures["mIoU"].value > 0.95


def test_pairs_are_mixed_at_a_low_ratio_with_what_is_drawn(
    sample_sources: Path, tmp_path: Path
) -> None:
    source = {"type": "sa1b", "tars": f"{sample_sources}/sa1b/sa_000000.tar"}
    built(tmp_path / "drawn", source)
    built(tmp_path / "pairs", folders_source(sam_sgt(tmp_path / "in", 4)), PAIRED)
    stream = Stream(
        {str(tmp_path / "drawn"): ["entity"], str(tmp_path / "pairs"): ["paired"]},
        mixture={"entity": 0.9, "paired": 0.1}, batch_size=10, seed=1,
    )  # fmt: skip
    (batch, *_) = list(stream)
    proxies = [sample.proxy for sample in batch["samples"]]
    assert proxies.count("paired") == 1 and len(proxies) == 10


def test_a_subset_of_what_is_decodable_is_chosen_by_the_index(tmp_path: Path) -> None:
    corpus_of(
        tmp_path, (jpeg(*SIZE), png(reused_colours(*SIZE))), (jpeg(*SIZE), png(edited(*SIZE)))
    )
    chosen = str(tmp_path / "s.subset.parquet")
    subset(str(tmp_path / "out"), 1.0, rule=SubsetRule(where="segments > 0"), file=chosen)
    (sample,) = open_corpus(str(tmp_path / "s.subset.parquet")).samples("paired")
    assert sample.key == "pairs_0"


def test_an_export_of_pairs_holds_their_bytes(tmp_path: Path) -> None:
    from sgt_data import export_corpus

    labels = png(reused_colours(*SIZE))
    corpus_of(tmp_path, (jpeg(*SIZE), labels))
    export_corpus(str(tmp_path / "out"), str(tmp_path / "export"), "omnigen2")
    (copy,) = (tmp_path / "export/paired/annotations").rglob("*.png")
    assert copy.read_bytes() == labels
    assert list(samples_in(tmp_path / "out", "paired")) == [copy.stem]
