"""What an experiment does not show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sgt_data.experiment.plan.arms import LABELS
from sgt_data.experiment.plan.experiment_plan import ExperimentKind, Plan


def limits_of(kind: ExperimentKind, plan: Plan) -> list[str]:
    """What the numbers of an experiment cannot show, one sentence or more each."""
    mixed = [_MIXED] if LABELS in plan.controls and plan.arithmetic_share > 0 else []
    start = _FROM_SCRATCH if plan.from_scratch else _ONE_CHECKPOINT
    return [*_LIMITS[kind], *mixed, start, *_COMMON_LIMITS]


_LIMITS: Mapping[ExperimentKind, Sequence[str]] = {
    "scale": (
        "A target tells what is where, so more targets are more supervision, not only more "
        "pictures. A control gives the same labels as questions; yet questions carry only part of "
        "what a segmentation shows.",
        "At equal steps fewer pictures are repeated more often. At equal epochs they come with "
        "fewer steps, and so with fewer questions too. Neither ladder alone tells the number of "
        "pictures from repetition.",
        "A slope is the mean rise per doubling over the rungs that were run. It does not say that "
        "the rise is even, or that it goes on.",
    ),
    "proxies": (
        "Targets differ in how much they tell: segmentations tell labels or outlines that people "
        "or models gave, depth and edges less, restored pictures none. This compares kinds of "
        "supervision as they come, not at an equal amount of information.",
        "Pairs of arms without the primary arm are not tested; their order in a table is no "
        "finding. All arms share one weight of the drawing loss.",
    ),
    "ratio": (
        "At a fixed batch every drawing takes a question's place; with more compute the best share "
        "may be another one.",
    ),
}

_MIXED = (
    f"In `{LABELS}` arithmetic is a smaller share of the questions than in other arms: the labels "
    "are added to the same arithmetic questions."
)
_ONE_CHECKPOINT = (
    "All arms begin with one checkpoint of a small model that learnt from little data. No interval "
    "allows for another checkpoint, and large pretrained models may behave otherwise."
)
_FROM_SCRATCH = (
    "A small model that begins with random weights shows how answers are learnt at all. What "
    "post-training adds to a pretrained model is another question."
)

_COMMON_LIMITS = (
    "Questions are made by rule from the annotations of this corpus: they measure what these rules "
    "ask, on pictures like these. What is synthetic about the pictures is synthetic about the "
    "answer.",
    "A difference that is not shown may still be there: few seeds give wide intervals. Only an "
    "interval within a stated margin shows that two arms are the same.",
    "An arm that has not lifted off, or has not reached its plateau, may only be slow: a "
    "comparison with it, which its note marks, is one of speed and not of what can be learnt.",
    "Attention says where the answer looks, not why it is right.",
)
