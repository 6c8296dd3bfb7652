"""Restoration proxies: a degraded input, the clean target, and facts that say what was done."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import encoded, scene
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from sgt_data.degradations.hidden_patches import GREY
from sgt_data.errors import BuildError, CorpusError, FilteredOut
from sgt_data.pictures.decode_source import (
    Picture,
    StoredPicture,
    inspect,
    prepare,
)
from sgt_data.pictures.size_rule import SizeRule
from sgt_data.proxies.base import Subject
from sgt_data.proxies.colorization import ColorizationProxy
from sgt_data.proxies.deblur import DeblurProxy
from sgt_data.proxies.denoise import DenoiseProxy
from sgt_data.proxies.derain import DerainProxy
from sgt_data.proxies.enhance import EnhanceProxy
from sgt_data.proxies.inpainting import InpaintingProxy
from sgt_data.proxies.mae import MaeProxy
from sgt_data.proxies.reconstruction import ReconstructionProxy
from sgt_data.proxies.registry import proxy_kinds
from sgt_data.proxies.restoration_base import RestorationProxy
from sgt_data.proxies.super_resolution import SuperResolutionProxy
from sgt_data.seeds import generator

PROXIES: dict[str, RestorationProxy] = {
    "reconstruction": ReconstructionProxy(),
    "strokes": InpaintingProxy(mask="strokes"),
    "boxes": InpaintingProxy(mask="boxes"),
    "mixed": InpaintingProxy(),
    "patches": InpaintingProxy(mask="patches"),
    "mae": MaeProxy(),
    "gaussian": DenoiseProxy(kinds=("gaussian",)),
    "jpeg": DenoiseProxy(kinds=("jpeg",)),
    "poisson": DenoiseProxy(kinds=("poisson",)),
    "salt_and_pepper": DenoiseProxy(kinds=("salt_and_pepper",)),
    "deblur": DeblurProxy(),
    "rain": DerainProxy(kinds=("rain",)),
    "fog": DerainProxy(kinds=("fog",)),
    "both": DerainProxy(kinds=("both",)),
    "enhance": EnhanceProxy(),
    "super_resolution": SuperResolutionProxy(),
    "colorization": ColorizationProxy(),
}
DEGRADING = sorted(PROXIES.keys() - {"reconstruction"})

PSNR: dict[str, tuple[float, float]] = {
    "both": (13.5, 16.0),
    "boxes": (13.0, 15.5),
    "colorization": (21.5, 24.0),
    "deblur": (21.5, 24.0),
    "enhance": (8.5, 11.0),
    "fog": (12.0, 14.5),
    "gaussian": (23.0, 25.5),
    "jpeg": (29.5, 32.0),
    "mae": (12.5, 15.0),
    "mixed": (13.0, 15.5),
    "patches": (13.0, 15.5),
    "poisson": (23.0, 25.5),
    "rain": (16.5, 19.0),
    "salt_and_pepper": (17.5, 20.0),
    "strokes": (13.0, 15.5),
    "super_resolution": (23.5, 26.0),
}
"""dB of the input against the target: bounds of the mean over 100 COCO pictures."""


def subject_of(picture: Picture, key: str, seed: int = 0) -> Subject:
    @cache
    def clean() -> bytes:
        return picture.jpeg(95, "4:2:0")

    def encode(image: Image.Image) -> bytes:
        return picture.encode(image, 95, "4:2:0")

    def nothing(_: Any) -> Any:
        raise AssertionError("a restoration proxy needs no annotation")

    return Subject(key, seed, picture, frozenset(), nothing, nothing, {}, clean, encode)


def made(pixels: NDArray[np.uint8], key: str = "x_1", seed: int = 0) -> Subject:
    height, width, _ = pixels.shape
    stored = StoredPicture(b"", width, height, 1)
    return subject_of(Picture(pixels, stored, "none", None), key, seed)


def pixels_of(data: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
        assert image.mode == "RGB"
        return np.asarray(image)


def size_of(width: int, height: int) -> dict[str, Any]:
    return {"size": {"width": width, "height": height}}


@pytest.mark.parametrize("name", PROXIES)
def test_the_target_is_the_clean_picture_and_the_input_is_not(name: str) -> None:
    proxy = PROXIES[name]
    subject = made(scene(144, 96))
    drawn = proxy.draw(subject)
    assert drawn.target == subject.clean()
    assert drawn.extension == "jpg"
    shown = drawn.picture or subject.clean()
    assert (shown == drawn.target) == (name == "reconstruction")
    assert pixels_of(shown).shape == (96, 144, 3)
    decoded = proxy.decode(drawn.target, size_of(144, 96) | drawn.facts)
    assert decoded.dtype == np.uint8
    assert (decoded == pixels_of(subject.clean())).all()
    assert proxy.contradictions(drawn.target, size_of(144, 96) | drawn.facts) == []
    assert json.loads(json.dumps(drawn.facts)) == drawn.facts


@pytest.mark.parametrize("name", DEGRADING)
def test_bytes_depend_on_seed_and_key_alone(name: str) -> None:
    proxy = PROXIES[name]

    def draws(seed: int) -> list[bytes | None]:
        return [proxy.draw(made(scene(112, 80), f"k_{n}", seed)).picture for n in range(8)]

    assert draws(1) == draws(1)
    if name != "colorization":
        assert len(set(draws(1))) > 2
        assert draws(1) != draws(2)


def in_range(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]


CHECKS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "reconstruction": lambda facts: facts == {"kind": "none"},
    "strokes": lambda facts: in_range(facts["share"], (0.3, 0.8)) and facts["mask"] == "strokes",
    "boxes": lambda facts: in_range(facts["share"], (0.3, 0.8)) and facts["mask"] == "boxes",
    "mixed": lambda facts: in_range(facts["share"], (0.3, 0.8)) and facts["mask"] == "mixed",
    "patches": lambda facts: in_range(facts["share"], (0.3, 0.8)) and facts["patches"] > 0,
    "mae": lambda facts: (
        in_range(facts["ratio"], (0.25, 0.9))
        and facts["patch"] == 16
        and facts["patches"] == round(facts["ratio"] * 7 * 5)
    ),
    "gaussian": lambda facts: in_range(facts["sigma"], (5, 50)) and facts["kind"] == "gaussian",
    "jpeg": lambda facts: facts["quality"] in range(30, 51),
    "poisson": lambda facts: facts["peak"] in range(10, 121),
    "salt_and_pepper": lambda facts: in_range(facts["share"], (0.01, 0.1)),
    "deblur": lambda facts: facts["length"] in (10, 20, 30) and facts["angle"] in range(180),
    "rain": lambda facts: (
        facts["drops"] in range(1500, 5001)
        and facts["angle"] in range(-25, 26)
        and in_range(facts["dimming"], (0.65, 0.85))
        and facts["density"] == facts["thinning"] == facts["brightness"] == 0
    ),
    "fog": lambda facts: (
        in_range(facts["density"], (0.45, 0.85))
        and in_range(facts["thinning"], (0.3, 0.8))
        and facts["brightness"] in range(190, 231)
        and facts["drops"] == facts["angle"] == facts["dimming"] == 0
    ),
    "both": lambda facts: facts["density"] > 0 and facts["drops"] > 0,
    "enhance": lambda facts: (
        in_range(facts["brightness"], (0.1, 0.5)) and in_range(facts["sigma"], (1, 8))
    ),
    "super_resolution": lambda facts: facts["factor"] in (2, 4, 6, 8),
    "colorization": lambda facts: facts["colourfulness"] > 4,
}


@pytest.mark.parametrize("name", PROXIES)
def test_facts_hold_every_parameter_within_its_range(name: str) -> None:
    for number in range(20):
        facts = PROXIES[name].draw(made(scene(112, 80), f"k_{number}")).facts
        assert facts.keys() == {"degradation"}
        assert CHECKS[name](facts["degradation"]), facts


def test_every_kind_and_value_is_drawn_sometime() -> None:
    seen: dict[str, set[Any]] = {}
    proxies = (DenoiseProxy(), DerainProxy(), DeblurProxy(), SuperResolutionProxy())
    for number in range(60):
        subject = made(scene(48, 32), f"k_{number}")
        for proxy in proxies:
            facts = proxy.draw(subject).facts["degradation"]
            named = next(facts[name] for name in ("kind", "length", "factor") if name in facts)
            seen.setdefault(proxy.type, set()).add(named)
    assert seen == {
        "denoise": {"gaussian", "jpeg", "poisson", "salt_and_pepper"},
        "derain": {"rain", "fog", "both"},
        "deblur": {10, 20, 30},
        "super_resolution": {2, 4, 6, 8},
    }


def test_configured_ranges_are_drawn_from() -> None:
    for number in range(10):
        subject = made(scene(64, 48), f"k_{number}")
        facts = MaeProxy(ratio=(0.5, 0.5), patch=8).draw(subject).facts["degradation"]
        assert facts == {"ratio": 0.5, "patch": 8, "patches": 24}
        facts = DeblurProxy(lengths=(7,)).draw(subject).facts["degradation"]
        assert facts["length"] == 7
        facts = DerainProxy(kinds=("rain",), angle=(3, 3)).draw(subject).facts["degradation"]
        assert facts["angle"] == 3


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: MaeProxy(ratio=(0.9, 0.25)),
        lambda: MaeProxy(ratio=(0.0, 0.5)),
        lambda: MaeProxy(patch=0),
        lambda: InpaintingProxy(share=(0.3, 1.0)),
        lambda: InpaintingProxy(mask="circles"),
        lambda: DenoiseProxy(kinds=()),
        lambda: DenoiseProxy(kinds=("gaussian", "brown")),
        lambda: DenoiseProxy(sigma=(-5, 50)),
        lambda: DenoiseProxy(peak=(0, 50)),
        lambda: DeblurProxy(lengths=(1,)),
        lambda: DeblurProxy(lengths=(500,)),
        lambda: DerainProxy(dimming=(0.5, 0.95)),
        lambda: DerainProxy(angle=(-60, 0)),
        lambda: DerainProxy(drops=(0, 10)),
        lambda: EnhanceProxy(brightness=(0, 0.5)),
        lambda: EnhanceProxy.model_validate({"colour": 1}),
        lambda: SuperResolutionProxy(factors=(1, 2)),
        lambda: ColorizationProxy(min_colourfulness=-1),
        lambda: MaeProxy(ratio=(float("nan"), 0.5)),
    ],
)
def test_wrong_parameters_are_refused(wrong: Callable[[], RestorationProxy]) -> None:
    with pytest.raises(ValidationError):
        wrong()


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(DEGRADING),
    st.one_of(
        st.tuples(st.integers(16, 90), st.integers(16, 90)),
        st.sampled_from([(16, 16), (16, 1024), (1024, 16), (17, 333), (600, 31)]),
    ),
    st.integers(0, 99),
)
def test_any_size_is_degraded(name: str, size: tuple[int, int], number: int) -> None:
    width, height = size
    subject = made(textured(width, height), f"k_{number}")
    drawn = PROXIES[name].draw(subject)
    assert drawn.picture is not None
    assert drawn.picture != drawn.target
    assert pixels_of(drawn.picture).shape == pixels_of(drawn.target).shape == (height, width, 3)


def textured(width: int, height: int) -> NDArray[np.uint8]:
    """A scene with grain, so that there is something to lose at any size."""
    grain = np.random.default_rng(width).integers(0, 80, (height, width, 3))
    return (scene(width, height) // 2 + grain).astype(np.uint8)


@pytest.mark.parametrize("name", ["strokes", "boxes", "mixed", "patches", "mae"])
def test_the_hidden_share_is_the_stated_one(name: str) -> None:
    picture = np.full((192, 256, 3), 7, np.uint8)
    for number in range(10):
        hidden, drawn = PROXIES[name].degrade(picture, generator(number))
        stated = drawn["ratio"] if name == "mae" else drawn["share"]
        hidden_share = (hidden == GREY).all(axis=2).mean()
        assert 0.25 <= stated <= 0.9 if name == "mae" else 0.3 <= stated <= 0.8
        exact = name in ("strokes", "boxes", "mixed")
        assert hidden_share == pytest.approx(stated, abs=1e-4 if exact else 0.02)


def test_pictures_with_nothing_to_restore_are_left_out() -> None:
    grey = np.full((48, 64, 3), 128, np.uint8)
    for name in ("strokes", "boxes", "mae", "deblur", "super_resolution", "colorization"):
        with pytest.raises(FilteredOut):
            PROXIES[name].draw(made(grey))
    for name in ("gaussian", "salt_and_pepper", "rain", "fog", "both", "enhance"):
        assert PROXIES[name].draw(made(grey)).picture is not None


def test_colorization_shows_a_grey_rgb_picture() -> None:
    drawn = ColorizationProxy().draw(made(scene(64, 48)))
    assert drawn.picture is not None
    shown = pixels_of(drawn.picture)
    assert (shown == shown[..., :1]).all()


def test_a_degradation_of_another_size_stops_the_build() -> None:
    class Cropping(RestorationProxy):
        type: str = "cropping"
        name: str = "cropping"

        def degrade(self, picture: Any, rng: Any) -> Any:
            return picture[1:], {}

    with pytest.raises(BuildError, match="cropping"):
        Cropping().draw(made(scene(64, 48)))


def test_only_a_jpeg_of_the_stated_size_decodes() -> None:
    proxy = MaeProxy()
    subject = made(scene(64, 48))
    right, size = subject.clean(), size_of(64, 48)
    grey = encoded(Image.fromarray(scene(64, 48)).convert("L"))
    png = encoded(Image.fromarray(scene(64, 48)), "PNG")
    for target in (b"", b"junk", right[:200], right[: len(right) // 2], png, grey):
        with pytest.raises(CorpusError):
            proxy.decode(target, size)
    for facts in ({}, {"size": None}, {"size": {"width": 64}}, size_of(48, 64)):
        with pytest.raises(CorpusError):
            proxy.decode(right, facts)


def test_the_registry_knows_them_all() -> None:
    for proxy in PROXIES.values():
        assert proxy_kinds()[proxy.type] is type(proxy)
        assert proxy.bank() == proxy.type
        assert proxy.tier == "low"
        assert proxy.unmet_need(frozenset()) is None


@pytest.fixture(scope="module")
def coco_pictures(real_data: Path) -> list[tuple[str, Picture]]:
    rule = SizeRule(min_side=256, max_side=512)
    places = sorted((real_data / "coco/train2017").glob("*.jpg"))[:100]
    assert len(places) == 100
    return [(place.stem, prepare(inspect(place.read_bytes()), rule, "convert")) for place in places]


@pytest.mark.parametrize("name", DEGRADING)
def test_real_pictures_are_degraded_by_the_stated_amount(
    name: str, coco_pictures: list[tuple[str, Picture]]
) -> None:
    ratios = []
    for key, picture in coco_pictures:
        try:
            drawn = PROXIES[name].draw(subject_of(picture, key))
        except FilteredOut:
            assert name == "colorization", "only a grey picture has nothing to restore"
            continue
        assert drawn.picture is not None
        shown, clean = pixels_of(drawn.picture), pixels_of(drawn.target)
        error = ((shown.astype(np.float64) - clean) ** 2).mean()
        assert error > 0, key
        ratios.append(10 * np.log10(255**2 / error))
    assert len(ratios) >= 95
    least, most = PSNR[name]
    assert least <= np.mean(ratios) <= most
    assert max(ratios) < 42
