"""Transforms: sizes and forms, labels that stay labels, and views of which the words are true."""

from __future__ import annotations

import io
import pickle
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from making import jpeg, shown
from numpy.typing import NDArray
from PIL import Image

from sgt_data import IN_PROCESS, build_corpus
from sgt_data.corpus.sample import Sample
from sgt_data.errors import CorpusError, RequestError
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.pictures.size_rule import SizeRule
from sgt_data.referring.phrases import Margins, candidates
from sgt_data.referring.referents import referents
from sgt_data.referring.segment_facts import SegmentFacts
from sgt_data.stream.options import Ordering, Topology
from sgt_data.stream.sample_views import CropAndFlip, mirrored_instruction, mirrored_phrase
from sgt_data.stream.stream import Stream
from sgt_data.stream.transforms import (
    BAGEL,
    OMNIGEN2,
    Pictures,
    WithinArea,
    is_label_target,
)

PLACES = {"depth": "depth", "normals": "normals", "intrinsics": "intrinsics.json"}
DEMO = Path(__file__).parent.parent / "manifests" / "demo.yaml"
LABELS = {
    "entity", "instance", "panoptic", "semantic", "referring", "places", "boxes",
    "depth-inferno", "metric-depth", "normals", "legend", "legend-panoptic", "each",
    "referring-colour", "canny",
}  # fmt: skip
UNCUT = {
    "referring", "referring-colour", "places", "boxes", "boxes-overlay", "legend-panoptic", "each",
}  # fmt: skip
"""What their instructions name may be outside of a part of the picture."""
SMALLER = SizeRule(min_side=32, max_side=80, multiple_of=16)
LARGER = SizeRule(min_side=256, max_side=320, multiple_of=16)
WILD = CropAndFlip((0.4, 0.9), 0.5, seed=3)


@pytest.fixture(scope="module")
def corpus(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Every proxy of the demo on small pictures, and phrases of places alone."""
    document = yaml.safe_load(DEMO.read_text())
    first, second = document["sources"]
    first["tars"], second["root"] = f"{sample_sources}/sa1b/sa_*.tar", f"{sample_sources}/coco"
    for source in (first, second):
        for field, place in PLACES.items():
            source[field] = f"{sample_sources}/{place}"
    document["pictures"] = {"min_side": 64, "max_side": 192, "multiple_of": 16}
    document["proxies"].append(
        {"type": "referring", "name": "places", "kinds": ["place"], "sources": ["coco"]}
    )
    root = tmp_path_factory.mktemp("transforms")
    build_corpus(parse_manifest(document), str(root), cluster=IN_PROCESS)
    return str(root)


@pytest.fixture(scope="module")
def samples(corpus: str) -> list[Sample]:
    names = [path.parent.name for path in Path(corpus).glob("*/*.tar")]
    stream = Stream(
        {corpus: sorted(set(names))}, batch_size=50, order=Ordering(shuffle=False, last="pad")
    )
    by_proxy_and_key = {
        (sample.proxy, sample.key): sample for batch in list(stream) for sample in batch["samples"]
    }
    assert {proxy for proxy, _ in by_proxy_and_key} > LABELS
    return list(by_proxy_and_key.values())


def stored(data: bytes) -> NDArray[np.uint8]:
    """RGB [H, W, 3]."""
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image.convert("RGB"))


def colours(pixels: NDArray[np.uint8]) -> set[int]:
    return set(np.unique(pixels.astype(np.int64) @ (1, 256, 65536)).tolist())


# --- sizes and forms


@settings(max_examples=300, deadline=None)
@given(
    width=st.integers(1, 6000), height=st.integers(1, 6000),
    area=st.sampled_from([256, 5000, 1024 * 1024]), step=st.sampled_from([1, 8, 16]),
)  # fmt: skip
def test_pictures_within_an_area_are_shrunk_just_so_far(
    width: int, height: int, area: int, step: int
) -> None:
    wide, high = WithinArea(max_area=area, multiple_of=step).output_size(width, height)
    assert wide * high <= area and wide % step == 0 and high % step == 0
    assert (wide <= width or wide == step) and (high <= height or high == step)
    scale = min(1.0, (area / (width * height)) ** 0.5)
    if min(width, height) * scale >= step:
        for side, whole in ((wide, width * scale), (high, height * scale)):
            assert whole - step - 1e-6 < side <= whole + 1e-6


@pytest.mark.parametrize(
    ("stored_size", "bagel", "omnigen2"),
    [
        ((1024, 1024), (1024, 1024), (1024, 1024)),
        ((2048, 2048), (1024, 1024), (1024, 1024)),
        ((2250, 1500), (1024, 688), (1248, 832)),
        ((640, 480), (688, 512), (640, 480)),
        ((333, 500), (512, 768), (320, 496)),
        ((100_000, 20), (1024, 16), (65536, 16)),
    ],
)
def test_sizes_are_those_of_the_models(
    stored_size: tuple[int, int], bagel: tuple[int, int], omnigen2: tuple[int, int]
) -> None:
    assert BAGEL.output_size(*stored_size) == bagel
    assert OMNIGEN2.output_size(*stored_size) == omnigen2


@pytest.mark.parametrize("size", [None, SMALLER, LARGER, WithinArea(max_area=9000)])
def test_forms_hold_the_same_pixels_of_the_asked_size(
    size: SizeRule | None, samples: Sequence[Sample]
) -> None:
    torch = pytest.importorskip("torch")
    for sample in samples[::9]:
        of_form = {
            form: Pictures(size, form, WILD)(sample)  # type: ignore[arg-type]
            for form in ("pil", "numpy", "torch")
        }
        view = of_form["pil"]["view"]
        wide, high = (size or SizeRule()).output_size(*view["box"][2:])
        if size is None:
            wide, high = view["box"][2:]
        for name in ("input", "target"):
            pil, array, tensor = (of_form[form][name] for form in ("pil", "numpy", "torch"))
            assert (pil.mode, pil.size) == ("RGB", (wide, high))
            assert array.dtype == np.uint8 and array.shape == (high, wide, 3)
            assert tensor.dtype == torch.uint8 and tensor.permute(1, 2, 0).is_contiguous()
            np.testing.assert_array_equal(array, np.asarray(pil))
            np.testing.assert_array_equal(tensor.numpy(), array.transpose(2, 0, 1))


def test_all_else_is_passed_on(samples: Sequence[Sample]) -> None:
    for sample in samples:
        fields = Pictures(SMALLER, "numpy")(sample)
        assert {name: fields[name] for name in ("key", "proxy", "component", "instruction")} == {
            "key": sample.key, "proxy": sample.proxy, "component": "all",
            "instruction": sample.instruction,
        }  # fmt: skip
        assert fields["facts"] == sample.facts
    assert Pictures()("a conversation") == "a conversation"


# --- labels


def test_each_target_is_what_its_proxy_makes(samples: Sequence[Sample]) -> None:
    labels = {sample.proxy for sample in samples if is_label_target(sample.facts)}
    assert labels == LABELS
    others = {sample.proxy for sample in samples if not is_label_target(sample.facts)}
    assert others.isdisjoint(LABELS)


@pytest.mark.parametrize("size", [SMALLER, LARGER])
def test_labels_never_blend(size: SizeRule, samples: Sequence[Sample]) -> None:
    blended = 0
    for sample in samples:
        target = Pictures(size, "numpy", WILD)(sample)["target"]
        new = colours(target) - colours(stored(sample.target))
        if sample.proxy in LABELS:
            assert not new, (sample.proxy, sample.key)
        else:
            blended += bool(new)
    assert blended, "and pictures do"


def test_grey_depth_stays_between_its_neighbours(samples: Sequence[Sample]) -> None:
    """No filter draws anything nearer or farther than all that is there."""
    for sample in samples:
        if sample.proxy == "depth":
            whole = Pictures(LARGER, "numpy")(sample)["target"]
            assert (whole[..., 0] == whole[..., 1]).all()
            levels = stored(sample.target)
            assert levels.min() <= whole.min() and whole.max() <= levels.max()


# --- views


def test_both_pictures_are_cut_and_mirrored_alike(samples: Sequence[Sample]) -> None:
    kinds = set()
    for sample in samples:
        fields = Pictures(None, "numpy", WILD)(sample)
        x, y, wide, high = fields["view"]["box"]
        kinds.add(fields["view"]["mirrored"])
        for name in ("input", "target"):
            expected = stored(getattr(sample, name))[y : y + high, x : x + wide]
            assert expected.shape == (high, wide, 3)
            if fields["view"]["mirrored"]:
                expected = expected[:, ::-1]
            np.testing.assert_array_equal(fields[name], expected)
    assert kinds == {True, False}


def test_crops_keep_their_share_and_the_pictures_form(samples: Sequence[Sample]) -> None:
    for sample in samples:
        height, width, _ = stored(sample.target).shape
        x, y, wide, high = CropAndFlip((0.5, 0.7), 0, 1).view(sample, width, height).box
        assert 0 <= x <= width - wide and 0 <= y <= height - high
        if sample.proxy in UNCUT:
            assert (wide, high) == (width, height)
        else:
            assert 0.5 * width - 0.5 <= wide <= 0.7 * width + 0.5
            assert abs(wide / width - high / height) < 0.02


def test_a_view_depends_on_seed_epoch_and_key_alone(samples: Sequence[Sample]) -> None:
    def views(augment: CropAndFlip) -> list[Any]:
        return [augment.view(sample, 192, 144) for sample in samples]

    first = views(WILD)
    assert views(pickle.loads(pickle.dumps(WILD))) == first == views(WILD.reseed(4).reseed(0))
    others = [replace(WILD, seed=4), WILD.reseed(1), WILD.reseed(2), WILD.reseed(2).reseed(3)]
    assert len({tuple(views(augment)) for augment in [WILD, *others]}) == 5
    assert views(WILD.reseed(5).reseed(2)) == views(WILD.reseed(2))
    boxes: dict[str, set[Any]] = {}
    for sample, view in zip(samples, first, strict=True):
        if sample.proxy in ("entity", "panoptic", "depth", "canny", "denoise"):
            boxes.setdefault(sample.key, set()).add((view.box, view.mirrored))
    assert len(boxes) > 5 and all(len(views_of_key) == 1 for views_of_key in boxes.values())


def test_transforms_are_the_same_after_pickling(samples: Sequence[Sample]) -> None:
    for size in (BAGEL, OMNIGEN2, None):
        transform = Pictures(size, "numpy", WILD)
        again = pickle.loads(pickle.dumps(transform))
        assert again == transform
    np.testing.assert_array_equal(again(samples[0])["input"], transform(samples[0])["input"])


# --- words in a mirror


def mirrored(segment: SegmentFacts, width: int) -> SegmentFacts:
    x, y, wide, high = segment.box
    return replace(segment, box=(width - x - wide, y, wide, high))


def test_what_a_phrase_says_is_true_in_the_mirror(samples: Sequence[Sample]) -> None:
    flip = Pictures(None, "numpy", CropAndFlip((0.3, 0.5), 1, 0))
    swapped = 0
    for sample in samples:
        if sample.facts["type"] != "referring":
            continue
        fields = flip(sample)
        assert fields["view"]["mirrored"]
        facts = sample.facts
        width = facts["size"]["width"]
        mirrored_segments = [
            mirrored(SegmentFacts.of(segment), width) for segment in facts["segments"]
        ]
        drawn = {segment["id"] for segment in shown(facts)}
        before, after = sample.instruction, fields["instruction"]
        phrase = facts["referring"]["phrase"]
        around = before.split(phrase)
        new = after.removeprefix(around[0]).removesuffix(around[-1])
        assert referents(new, mirrored_segments) == drawn
        place = re.search(r"(left|right)(?:most|$)", new)
        if place is None:
            assert after == before
            continue
        swapped += 1
        assert after != before
        # read from the pixels themselves: where the white lies, and where the others are
        columns = np.flatnonzero(fields["target"][..., 0].any(0))
        centre = (columns[0] + columns[-1]) / 2
        category = facts["referring"]["category"]
        rivals = [
            segment.box[0] + segment.box[2] / 2
            for segment in mirrored_segments
            if segment.category == category and segment.id not in drawn
        ]
        assert rivals
        assert all((centre < rival) == (place[1] == "left") for rival in rivals)
    assert swapped >= 3


BOXES = st.tuples(st.integers(0, 80), st.integers(0, 80), st.integers(2, 20), st.integers(2, 20))


@settings(max_examples=200, deadline=None)
@given(things=st.lists(st.tuples(st.sampled_from(["dog", "cat", "sky"]), BOXES), max_size=7))
def test_every_phrase_means_the_same_in_the_mirror(things: list[tuple[str, Any]]) -> None:
    segments = [
        SegmentFacts(number, name, name != "sky", False, box[2] * box[3], box)
        for number, (name, box) in enumerate(things, 1)
    ]
    mirrored_segments = [mirrored(segment, 100) for segment in segments]
    for candidate in candidates(segments, [], 100, 100, Margins(0.1, 0.05, 2.0, 0.0)):
        for wording in candidate.wordings:
            phrase = mirrored_phrase(wording)
            assert phrase is not None and mirrored_phrase(phrase) == wording
            assert referents(phrase, mirrored_segments) == candidate.ids


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("the leftmost dog", "the rightmost dog"),
        ("the dog farthest to the right", "the dog farthest to the left"),
        ("the topmost dog", "the topmost dog"),
        ("all copyrighted pictures", "all copyrighted pictures"),
        ("the left shoe", None),
        ("every Right glove", None),
        ("the leftmost right shoe", None),
    ],
)
def test_phrases_in_a_mirror(phrase: str, expected: str | None) -> None:
    assert mirrored_phrase(phrase) == expected


def test_only_the_phrase_is_changed_and_what_cannot_be_said_is_not_mirrored(
    samples: Sequence[Sample],
) -> None:
    facts = {"instruction": {"words": {"target": "the leftmost dog"}}}
    text = "Black out what is left, right off: the leftmost dog."
    assert mirrored_instruction(text, facts) == text.replace("leftmost", "rightmost")
    assert mirrored_instruction("Something else.", facts) is None
    shoe = replace(
        samples[0],
        instruction="Mask the left shoe.",
        facts={"instruction": {"words": {"target": "the left shoe"}}},
    )
    view = CropAndFlip((0.5, 0.5), 1, 0).view(shoe, 64, 48)
    assert (view.mirrored, view.instruction, view.box) == (False, shoe.instruction, (0, 0, 64, 48))


# --- in a loader, and what is wrong


def test_spawned_workers_give_the_same_pictures(corpus: str) -> None:
    data = pytest.importorskip("torch.utils.data")

    def stream() -> Stream:
        return Stream(
            {corpus: ["panoptic", "places", "depth"]},
            batch_size=9,
            seed=2,
            transform=Pictures(SMALLER, "torch", WILD),
            order=Ordering(last="drop"),
            topology=Topology(0, 1),
        )

    loader = data.DataLoader(
        stream(), batch_size=None, num_workers=2, multiprocessing_context="spawn"
    )
    expected, from_workers = list(stream()), list(loader)
    assert len(expected) == len(from_workers) >= 3
    for batch, worker_batch in zip(expected, from_workers, strict=True):
        assert batch["step"] == worker_batch["step"]
        for fields, worker_fields in zip(batch["samples"], worker_batch["samples"], strict=True):
            for name in fields:
                same = fields[name] == worker_fields[name]
                assert same.all() if name in ("input", "target") else same


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: CropAndFlip((0.0, 1.0), 0.5, 0), "crop: found"),
        (lambda: CropAndFlip((0.8, 0.5), 0.5, 0), "crop: found"),
        (lambda: CropAndFlip((0.5, 1.0), 1.5, 0), "flip: found"),
        (lambda: Pictures(form="jax"), "allowed: pil, numpy, torch"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_chosen_is_named(wrong: Any, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        wrong()


def test_pictures_that_do_not_fit_each_other_are_named(samples: Sequence[Sample]) -> None:
    with pytest.raises(CorpusError, match=rf"{samples[0].key}: the input is \(8, 8\)"):
        Pictures()(replace(samples[0], input=jpeg(8, 8)))
    with pytest.raises(CorpusError, match=samples[0].key):
        Pictures()(replace(samples[0], target=b"no picture"))
