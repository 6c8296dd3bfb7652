"""The questions in BAGEL's configuration: its group `vlm_sft`, as published and as SGT released
it."""

from __future__ import annotations

from typing import Any

from sgt_data.exports.bagel_tokens import QUESTION_SIZES, TransformSizes
from sgt_data.exports.export_options import ExportOptions
from sgt_data.exports.listed_paths import listed_path
from sgt_data.exports.questions_folder import QuestionsFolder

QUESTIONS_GROUP, QUESTIONS_SET = "vlm_sft", "sgt_questions"
"""BAGEL's group of questions, and the name of ours in it."""

DRAWINGS_PER_QUESTION = 2
"""SGT's best ratio within a batch."""


def questions_entry(questions: QuestionsFolder, options: ExportOptions) -> dict[str, Any]:
    """Where the questions lie: their entry in `DATASET_INFO['vlm_sft']`."""
    return {
        "data_dir": listed_path(questions.folder, options),
        "jsonl_path": listed_path(questions.list, options),
        "num_total_samples": questions.count,
    }


def questions_stanza(questions: QuestionsFolder, weight: float) -> dict[str, Any]:
    """The group of a data configuration, without `is_mandatory`.

    Args:
        questions: that are mixed in.
        weight: of the group.
    """
    return {
        "dataset_names": [QUESTIONS_SET],
        "image_transform_args": transform_arguments(QUESTION_SIZES) | {"max_pixels": 2_007_040},
        "frame_sampler_args": {"max_num_frames": 12, "min_num_frames": 8},
        "shuffle_lines": True,
        "shuffle_seed": 0,
        "num_used_data": [questions.count],
        "weight": weight,
    }


def transform_arguments(sizes: TransformSizes) -> dict[str, int]:
    """Arguments of BAGEL's `ImageTransform`."""
    return {
        "image_stride": sizes.stride,
        "max_image_size": sizes.most,
        "min_image_size": sizes.least,
    }
