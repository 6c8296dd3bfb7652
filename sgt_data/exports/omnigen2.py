"""The export for OmniGen2, as published (`omnigen2.yml`) and as SGT released it
(`omnigen2_sgt.yml`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from sgt_data.exports.export_format import Export
from sgt_data.exports.listed_paths import listed_path
from sgt_data.exports.questions_folder import QuestionsFolder
from sgt_data.exports.sgt_format import SgtFormat
from sgt_data.trainers.omnigen2 import OMNIGEN2_TASK
from sgt_data.value_text import counted

SGT_VARIANTS = frozenset({"entity", "instance", "panoptic"})
"""Variants of segmentation that the prompts of SGT's loader ask for: a colour for each object. It
draws from these prompts for every line of a list, whatever the list's `type`."""


class OmniGen2(SgtFormat):
    """Folders and lists of OmniGen2, as published and as SGT released it."""

    name = form = "omnigen2"
    trainers = "OmniGen2, as published and as SGT released it"
    takes = frozenset({"ranks", "relative_to", "questions"})
    min_side = 0

    def row(self, folder: str, picture: str, target: str, instruction: str) -> dict[str, Any]:
        return {
            "task_type": OMNIGEN2_TASK,
            "instruction": instruction,
            "input_images": [f"{folder}/{picture}"],
            "output_image": f"{folder}/{target}",
        }

    def finish(self, export: Export) -> dict[str, str]:
        samples = {proxy: count for proxy, count in export.report.samples.items() if count}
        unknown = _unknown_to_sgt(export, samples)
        known = [proxy for proxy in samples if proxy not in unknown]
        _note_ranks(export, sum(samples.values()))
        if unknown:
            _note_unknown(export, unknown, known)
        head = "# For OmniGen2: data.data_path in options/ft.yml; with the corpus' instructions.\n"
        configs = {"omnigen2.yml": _config(head, _entries(export, list(samples), "jsonl"))}
        if known:
            entries = _entries(export, known, "txt")
            if self._questions is not None:
                path = listed_path(self._questions.list, export.options)
                entries.append({"path": path, "type": "sft", "ratio": 0.5 * len(known)})
            configs["omnigen2_sgt.yml"] = _config(
                "\n".join(_sgt_head(export, self._questions)) + "\n", entries
            )
        return configs


def _entries(export: Export, proxies: Sequence[str], extension: str) -> list[dict[str, Any]]:
    return [
        {
            "path": listed_path(f"{export.root}/{proxy}.{extension}", export.options),
            "type": proxy,
            "ratio": 1.0,
        }
        for proxy in proxies
    ]


def _config(head: str, entries: list[dict[str, Any]]) -> str:
    return head + yaml.safe_dump({"data": entries}, sort_keys=False)


def _sgt_head(export: Export, questions: QuestionsFolder | None) -> list[str]:
    """The comment above the configuration for SGT's release."""
    lines = [
        "# For OmniGen2 as SGT released it: data.data_path in options/*.yml. Its loader draws",
        "# instructions from its own bank of prompts, which ask for a colour per object.",
    ]
    if questions is None:
        lines += [
            "# Without an entry of type sft, take data.interleave_pattern out of the options: the",
            "# loader would find no question for it, and give nothing.",
        ]
    else:
        lines += [
            "# data.interleave_pattern decides the shares, not ratio. Start the training with",
            f"# OMNIGEN2_SFT_IMAGE_ROOT={listed_path(questions.folder, export.options)}",
        ]
    if export.options.relative_to is not None:
        folder = export.options.relative_to
        lines += [f"# Paths are relative: start in {folder}, with OMNIGEN2_COCO_ROOT=."]
    return lines


def _unknown_to_sgt(export: Export, proxies: Mapping[str, int]) -> dict[str, str]:
    """Proxies whose targets the prompts of SGT's loader do not ask for, each with the reason."""
    stated = {proxy["name"]: proxy for proxy in export.corpus.header.manifest["proxies"]}
    reasons: dict[str, str] = {}
    for proxy in proxies:
        fields = stated.get(proxy, {})
        if proxy in export.corpus.bases:
            reasons[proxy] = "its target is the photo"
        elif fields.get("type") != "segmentation":
            reasons[proxy] = "no segmentation"
        elif fields.get("variant") not in SGT_VARIANTS:
            reasons[proxy] = "one colour for all objects of a class"
    return reasons


def _note_unknown(export: Export, unknown: Mapping[str, str], known: Sequence[str]) -> None:
    listed = ", ".join(f"{proxy} ({reason})" for proxy, reason in unknown.items())
    export.report.note(
        f"omnigen2_sgt.yml {'leaves out' if known else 'is not written, as it would leave out'} "
        f"{listed}: SGT's loader asks for every target with prompts of its own, for segments in a "
        "colour per object; omnigen2.yml has all proxies"
    )


def _note_ranks(export: Export, samples: int) -> None:
    ranks = export.options.ranks
    if ranks is not None and samples < ranks:
        export.report.note(
            f"{counted(samples, 'sample')} for {counted(ranks, 'rank')}: OmniGen2 drops a batch "
            "that is not full, has no step, and stops with a division by zero; it needs at least "
            "ranks x train.batch_size samples"
        )
