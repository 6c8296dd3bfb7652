"""Arithmetic questions in a stated share: without some in training, no model could answer any."""

from __future__ import annotations

from pathlib import Path

from sgt_data.questions.arithmetic import ARITHMETIC_TASKS, BLOCK
from sgt_data.questions.write_arithmetic import write_arithmetic
from sgt_data.stream.conversations import ConversationFile

STEP = BLOCK * len(ARITHMETIC_TASKS)
"""Numbers of arithmetic questions are multiples of this."""

HELD_OUT = 240
"""Arithmetic questions of validation, and of test."""

MOST_IN_TRAINING = 4800
"""Most arithmetic questions in training: there are not many more."""


def write_arithmetic_share(folder: Path, questions: str, share: float, seed: int) -> str | None:
    """Write arithmetic questions for each question about pictures that training asks.

    Args:
        folder: of the arithmetic questions, with `train.jsonl`, `val.jsonl` and `test.jsonl`.
        questions: file of the questions about pictures.
        share: arithmetic questions for each of these; 0 writes none.
        seed: seed of the choice.

    Returns:
        The file for training; None where the share is 0.
    """
    if share <= 0:
        return None
    wanted = round(share * len(ConversationFile(questions)))
    count = min(MOST_IN_TRAINING, max(STEP, wanted // STEP * STEP))
    write_arithmetic(folder, {"train": count, "val": HELD_OUT, "test": HELD_OUT}, seed)
    return str(folder / "train.jsonl")
