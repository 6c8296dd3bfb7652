"""The palettes of segmentation targets: what each is for, read from their module's docstring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from sgt_data.errors import RequestError
from sgt_data.proxies.segmentation import SegmentationProxy, Variant
from sgt_data.reference.docstrings import bullets
from sgt_data.segmentation import palettes
from sgt_data.segmentation.label_map import TOUCHING_LABELS_MAX
from sgt_data.suggestions import not_among

PALETTES: tuple[palettes.Palette, ...] = get_args(palettes.Palette)


@dataclass(frozen=True, slots=True)
class PaletteFacts:
    """A palette.

    Attributes:
        name: by which the field `palette` of a segmentation names it.
        summary: where its colours come from.
        variants: variants of segmentation that can use it.
        segments_max: most visible segments of a picture; None for no bound.
        entry: a segmentation that uses it, as an entry of a manifest.
    """

    name: palettes.Palette
    summary: str
    variants: tuple[Variant, ...]
    segments_max: int | None
    entry: str


def list_palettes() -> tuple[PaletteFacts, ...]:
    """All palettes."""
    return tuple(describe_palette(name) for name in PALETTES)


def describe_palette(name: str) -> PaletteFacts:
    """A palette.

    Raises:
        RequestError: there is none of this name; names those that there are.
    """
    if name not in PALETTES:
        raise RequestError(f"palettes: {not_among(name, PALETTES)}")
    variants = tuple(variant for variant in get_args(Variant) if _fits(name, variant))
    last = variants[-1]
    return PaletteFacts(
        name,
        bullets(palettes)[name],
        variants,
        None if name == "distinct" else TOUCHING_LABELS_MAX,
        f"{{type: segmentation, name: {last}, variant: {last}, palette: {name}}}",
    )


def _fits(palette: palettes.Palette, variant: Variant) -> bool:
    """Whether a variant of segmentation can use a palette."""
    try:
        SegmentationProxy(variant=variant, palette=palette)
    except ValueError:
        return False
    return True
