"""The export for BAGEL as SGT released it: `bagel.yaml` holds the lines for its configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.exports.bagel_questions import (
    DRAWINGS_PER_QUESTION,
    QUESTIONS_GROUP,
    QUESTIONS_SET,
    questions_entry,
    questions_stanza,
    transform_arguments,
)
from sgt_data.exports.bagel_shares import note_shares
from sgt_data.exports.bagel_tokens import (
    MANDATORY_MAX,
    SAMPLE_MAX,
    VAE_SIZES,
    VIT_SIZES,
    fitting_groups,
    question_tokens,
    sample_tokens,
)
from sgt_data.exports.export_format import Export
from sgt_data.exports.listed_paths import listed_path
from sgt_data.exports.questions_folder import QuestionsFolder
from sgt_data.exports.sgt_format import SgtFormat
from sgt_data.value_text import counted

DATASET_INFO = "dataset_info.json"

_REGISTERING = (
    "for name in SGT: DATASET_REGISTRY.setdefault(name, SegmentDataset); "
    "DATASET_INFO.setdefault(name, {}).update(SGT[name])"
)
"""A line of Python that adds `SGT`, the entries of `dataset_info.json`, to BAGEL's registries. The
class of questions is there already."""


class Bagel(SgtFormat):
    """Folders and lists of BAGEL as SGT released it."""

    name = form = "bagel"
    trainers = "BAGEL as SGT released it"
    takes = frozenset({"ranks", "workers", "relative_to", "questions"})
    min_side = 512

    def row(self, folder: str, picture: str, target: str, instruction: str) -> dict[str, Any]:
        return {"image": picture, "generation_prompt": instruction}

    def finish(self, export: Export) -> dict[str, str]:
        groups = [
            _drawing_group(export, proxy, count)
            for proxy, count in export.report.samples.items()
            if count
        ]
        if self._questions is not None:
            share = len(groups) / DRAWINGS_PER_QUESTION
            groups.insert(0, _questions_group(export, self._questions, share))
        options = export.options
        samples = {group.name: group.samples for group in groups}
        note_shares(export, samples, options.ranks, options.workers)
        greatest = {group.name: group.tokens for group in groups}
        mandatory = fitting_groups(greatest)
        _note_tokens(export, greatest, mandatory)
        info = listed_path(export.files.place(DATASET_INFO), export.options)
        head = [
            "# For BAGEL as SGT released it. Two lines at the end of data/dataset_info.py:",
            f"#     import json; SGT = json.load(open({info!r}))",
            f"#     {_REGISTERING}",
            "# and this file for the training: DATASET_CFG of shells/train_sgt.sh.",
            *_remarks(export, greatest, mandatory),
        ]
        stanzas = {
            group.name: group.stanza | {"is_mandatory": group.name in mandatory} for group in groups
        }
        text = yaml.safe_dump(stanzas, sort_keys=False)
        entries = {group.name: {group.data_set: group.paths} for group in groups}
        return {
            DATASET_INFO: json.dumps(entries, indent=1) + "\n",
            "bagel.yaml": "\n".join(head) + "\n" + text,
        }


@dataclass(frozen=True, slots=True)
class _Group:
    """A group of BAGEL's data.

    Attributes:
        name: of the group.
        data_set: name of our data set in the group.
        samples: number of samples.
        tokens: most tokens of a sample.
        paths: its entry in `DATASET_INFO`.
        stanza: its entry in the configuration, without `is_mandatory`.
    """

    name: str
    data_set: str
    samples: int
    tokens: int
    paths: Mapping[str, Any]
    stanza: dict[str, Any]


def _drawing_group(export: Export, proxy: str, samples: int) -> _Group:
    name = f"sgt_{proxy}"
    return _Group(
        name, name, samples, _greatest_sample(export.corpus, proxy),
        {
            "data_dir": listed_path(f"{export.root}/{proxy}", export.options) + "/",
            "num_files": 1,
            "jsonl_path": listed_path(f"{export.root}/{proxy}.jsonl", export.options),
        },
        {
            "dataset_names": [name],
            "image_transform_args": transform_arguments(VAE_SIZES),
            "vit_image_transform_args": transform_arguments(VIT_SIZES),
            "num_used_data": [samples],
            "weight": 1.0,
        },
    )  # fmt: skip


def _questions_group(export: Export, questions: QuestionsFolder, weight: float) -> _Group:
    return _Group(
        QUESTIONS_GROUP, QUESTIONS_SET, questions.count, question_tokens(questions.longest),
        questions_entry(questions, export.options), questions_stanza(questions, weight),
    )  # fmt: skip


def _greatest_sample(corpus: Corpus, proxy: str) -> int:
    """Most tokens of a sample of a proxy, by the sizes in its index."""
    greatest = 0
    for shard in corpus.shards(proxy):
        index = corpus.index(proxy, shard, ("key", "width", "height", "instruction_size"))
        if index.num_rows:
            widths, heights, texts = (
                np.maximum(index[name].to_numpy().astype(np.int64), 1)
                for name in ("width", "height", "instruction_size")
            )
            greatest = max(greatest, int(sample_tokens(widths, heights, texts).max()))
    return greatest


def _note_tokens(export: Export, greatest: Mapping[str, int], mandatory: list[str]) -> None:
    together = sum(greatest[name] for name in mandatory)
    note = (
        f"bagel.yaml: the greatest samples of {counted(len(mandatory), 'mandatory group')} "
        f"have at most {together:,} tokens together"
    )
    if chosen := [name for name in greatest if name not in mandatory]:
        note += (
            f"; with {', '.join(chosen)} they would have {sum(greatest.values()):,}, above the "
            f"{MANDATORY_MAX:,} that leave room for weights, so these are not mandatory"
        )
    export.report.note(note)
    long = [name for name, tokens in greatest.items() if tokens > SAMPLE_MAX]
    if long:
        export.report.note(
            f"{', '.join(long)}: samples may have more than {SAMPLE_MAX:,} tokens, and BAGEL "
            "skips these (max_num_tokens_per_sample)"
        )


def _remarks(export: Export, greatest: Mapping[str, int], mandatory: list[str]) -> list[str]:
    tokens = sum(greatest[name] for name in mandatory)
    remarks = [
        "# Tokens of the greatest sample of each group, at most (a token per byte of text):",
        *(f"#     {name} {count:,}" for name, count in greatest.items()),
        f"# Mandatory groups have {tokens:,} together, and all have "
        f"{sum(greatest.values()):,}. Up to {MANDATORY_MAX:,} are",
        "# mandatory: BAGEL packs one sample of each of these before it looks at weights. Keep",
        f"# --max_num_tokens and --expected_num_tokens at {tokens:,} or more.",
    ]
    if QUESTIONS_GROUP in greatest:
        remarks += [
            f"# Weights: {DRAWINGS_PER_QUESTION} drawings for each question, beside the mandatory "
            "samples.",
        ]
    if export.options.relative_to is not None:
        remarks.append(f"# Paths are relative: start the training in {export.options.relative_to}.")
    return [
        *remarks,
        "# For its own prompts instead of the corpus' instructions: class Sam190KDataset with",
        "# the .txt list in place of the .jsonl.",
        "# Check in the class that the target stands before the input in image_tensor_list:",
        "# the second is what is learnt.",
    ]
