"""Pictures of what there is: a proxy, source, annotator or palette, on a drawn scene."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

from PIL import Image

from sgt_data import checks
from sgt_data.errors import RequestError
from sgt_data.facts import reversed_facts
from sgt_data.preview.cards import has_degraded_input
from sgt_data.preview.sheet_pictures import fitted
from sgt_data.preview.sheet_text import caption_facts, instruction_words
from sgt_data.reference.drawn_examples import (
    SCENE_SOURCES,
    DrawnExample,
    draw_examples,
    draw_layers,
)
from sgt_data.reference.example_card import CARD_CELL, COLUMNS_MAX, CardCell, draw_card
from sgt_data.reference.kinds import KindFacts, describe_kind
from sgt_data.reference.palette_facts import describe_palette
from sgt_data.reference.registries import Family, kinds_of
from sgt_data.reference.swatches import swatches

Shown = Family | Literal["palettes"]
SHOWN: tuple[str, ...] = (*get_args(Family), "palettes")

_ENTITIES = {"type": "segmentation", "name": "entity", "variant": "entity", "sources": ["sa1b"]}
_BY_LAYER: Mapping[str, Mapping[str, Any]] = {
    "entities": {"type": "segmentation", "name": "entity", "variant": "entity"},
    "instances": {"type": "segmentation", "name": "instance", "variant": "instance"},
    "panoptic": {"type": "segmentation", "name": "panoptic", "variant": "panoptic"},
    "depth": {"type": "depth"},
    "metric_depth": {"type": "metric_depth"},
    "normals": {"type": "normals"},
    "edges": {"type": "edge"},
    "target": {"type": "paired", "instructions": "segmentation_panoptic"},
}
"""By layer, a proxy whose target shows it; SA-1B's masks of entities are drawn as such."""


def example_picture(shown: Shown, name: str) -> Image.Image:
    """Draw an example: pictures, targets and instructions of a drawn scene, side by side.

    Args:
        shown: `proxies`, `sources`, `annotators` or `palettes`.
        name: the kind, or the palette.

    Returns:
        An RGB picture, at most 1392 pixels wide.

    Raises:
        RequestError: there is no such kind, or it draws nothing of a scene of this package.
    """
    checks.one_of("shown", shown, SHOWN)
    if shown == "palettes":
        return _palette_card(name)
    facts = describe_kind(shown, name)
    return {"proxies": _proxy_card, "sources": _source_card, "annotators": _annotator_card}[shown](
        facts
    )


def _proxy_card(facts: KindFacts) -> Image.Image:
    """A run of cells for each picture: its input, and the targets that are drawn of it."""
    runs: dict[str, list[CardCell]] = {}
    for example in draw_examples(facts.examples):
        if reversed_facts(example.sample.facts) is not None:
            runs[example.name] = [_input_cell(example, "input"), _target_cell(example)]
        elif has_degraded_input(example.sample):
            run = runs.setdefault(example.name, [])
            run.append(CardCell("input", "detail", _detail(example.sample.input)))
            target = replace(_target_cell(example), picture=_detail(example.sample.target))
            run.append(target)
        else:
            run = runs.setdefault(example.sample.key, [_input_cell(example, "input")])
            run.append(_target_cell(example))
    title = f"{facts.type}   ·   {facts.facts['tier']}"
    return draw_card(title, facts.facts.get("target", facts.summary), _joined(runs.values()))


def _joined(runs: Iterable[list[CardCell]]) -> list[list[CardCell]]:
    """Runs, two of which share a row where both are short."""
    joined: list[list[CardCell]] = []
    for run in runs:
        if joined and len(joined[-1]) + len(run) <= COLUMNS_MAX:
            joined[-1] = [*joined[-1], *run]
        else:
            joined.append(run)
    return joined


def _detail(data: bytes) -> Image.Image:
    """The middle of a stored picture, pixel by pixel: degradations are small."""
    with Image.open(io.BytesIO(data), formats=["JPEG", "PNG"]) as image:
        picture = image.convert("RGB")
    left, top = ((side - most) // 2 for side, most in zip(picture.size, CARD_CELL, strict=True))
    return picture.crop((left, top, left + CARD_CELL[0], top + CARD_CELL[1]))


def _source_card(facts: KindFacts) -> Image.Image:
    if facts.type not in SCENE_SOURCES:
        raise RequestError(
            f"sources: {facts.type}: a picture is drawn of {', '.join(SCENE_SOURCES)} alone, in "
            "whose forms this package writes scenes; of another source, build a corpus and give "
            "it to `sgt-data preview`"
        )
    examples = draw_layers(facts.type, _BY_LAYER)
    cells = [_input_cell(examples[0], "picture"), *map(_target_cell, examples)]
    return draw_card(facts.type, f"{facts.summary} Drawn from it without an annotator:", [cells])


def _annotator_card(facts: KindFacts) -> Image.Image:
    layer = kinds_of("annotators")[facts.type].layer
    if layer not in _BY_LAYER:
        raise RequestError(f"annotators: {facts.type}: no built-in proxy shows the layer {layer}")
    entry = _ENTITIES if layer == "entities" else _BY_LAYER[layer]
    (example,) = draw_examples([entry])
    cells = [_input_cell(example, "picture"), _target_cell(example)]
    subtitle = (
        f"{facts.summary} The target is drawn from what the scene is known to be, not by the "
        "model, whose weights are not part of this package."
    )
    return draw_card(f"{facts.type}   ·   fills in {layer}", subtitle, [cells])


def _palette_card(name: str) -> Image.Image:
    facts = describe_palette(name)
    entries = [
        {"type": "segmentation", "name": variant, "variant": variant, "palette": facts.name}
        for variant in facts.variants
        if variant in ("panoptic", "semantic")
    ]
    examples = draw_examples(entries)
    chart = swatches(facts.name, CARD_CELL)
    cells = [
        _input_cell(examples[0], "picture"),
        *map(_target_cell, examples),
        CardCell(facts.name, chart.caption, chart.picture),
    ]
    subtitle = facts.summary[0].upper() + facts.summary[1:]
    return draw_card(f"palette {facts.name}", subtitle, [cells])


def _input_cell(example: DrawnExample, name: str) -> CardCell:
    return CardCell(name, "", fitted(example.sample.input, *CARD_CELL))


def _target_cell(example: DrawnExample) -> CardCell:
    sample = example.sample
    return CardCell(
        example.name,
        _caption(example),
        fitted(sample.target, *CARD_CELL),
        sample.instruction,
        instruction_words(sample.facts),
    )


def _caption(example: DrawnExample) -> str:
    parts: Sequence[str] = caption_facts(example.sample.facts)
    return ", ".join(part for part in parts if part not in example.name.split("-"))
