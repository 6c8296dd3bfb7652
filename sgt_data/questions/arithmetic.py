"""Arithmetic as text, without a picture: a control for what post-training on drawings changes.

Three tasks, each with answers of one word: sums, differences, and which of two numbers is larger or
smaller. A problem, in all its wordings and orders, belongs to one split. Questions come in blocks
of four that balance each other, so the words around the numbers do not tell the answer: a reader
who skips the numbers is exactly at chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from sgt_data import checks
from sgt_data.errors import RequestError
from sgt_data.questions.splits import SPLITS
from sgt_data.seeds import derive_seed

ARITHMETIC_TASKS = ("arithmetic addition", "arithmetic subtraction", "arithmetic comparison")
"""The tasks, which share the questions of a split equally."""

BLOCK = 4
"""Questions that balance each other, and choices of a sum or a difference."""

_SUMS = range(24, 48)
_DIFFERENCES = range(1, 25)
_LARGEST = 50
"""The largest number in a difference or a comparison."""

_HELD_OUT = 0.2
"""Share of an answer's problems that each of val and test gets, at least one; train has the
rest."""

_WORDINGS: Mapping[str, tuple[str, ...]] = {
    "arithmetic addition": (
        "What is {a} + {b}?",
        "What is {a} plus {b}?",
        "How much do {a} and {b} make together?",
        "Add {b} to {a}. What do you get?",
    ),
    "arithmetic subtraction": (
        "What is {a} - {b}?",
        "What is {a} minus {b}?",
        "Take {b} away from {a}. What is left?",
        "How much more is {a} than {b}?",
    ),
    "arithmetic comparison": (
        "Which is {word}, {a} or {b}?",
        "Which number is {word}: {a} or {b}?",
        "Of {a} and {b}, which is the {word} number?",
    ),
}


@dataclass(frozen=True, slots=True)
class TextQuestion:
    """A question without a picture.

    Attributes:
        key: its problem, which all its wordings share.
        task: one of `ARITHMETIC_TASKS`.
        text: the question.
        answer: the right answer, one number in digits.
        choices: the answers to choose from; each is right equally often with the same words.
    """

    key: str
    task: str
    text: str
    answer: str
    choices: tuple[str, ...]


_Problem = tuple[int, int]
"""Two numbers: the smaller and the larger one of a sum or a comparison; in a difference the number
that is taken away comes second."""

_Block = tuple[TextQuestion, ...]


def choose_arithmetic(counts: Mapping[str, int], seed: int) -> dict[str, list[TextQuestion]]:
    """Questions of each split; none comes twice, and no problem is in two splits.

    A larger train split holds all questions of a smaller one, and val and test do not change with
    it.

    Args:
        counts: numbers of questions by split (train, val, test), each rounded down to a multiple of
            12: the tasks share it, in blocks of four.
        seed: of the split of the problems, and of the choice of questions.

    Raises:
        RequestError: a split is unknown; or a number is below 12, or above what there is.
    """
    if not counts:
        raise RequestError("counts: found none; give a number of questions for a split or more")
    chosen: dict[str, list[TextQuestion]] = {}
    for split, count in counts.items():
        checks.one_of("counts", split, SPLITS)
        blocks = {task: _blocks_of(task, split, seed) for task in ARITHMETIC_TASKS}
        smallest = BLOCK * len(blocks)
        checks.whole_number(
            f"counts: {split}", count, smallest, smallest * min(map(len, blocks.values()))
        )
        asked = [block for each in blocks.values() for block in each[: count // smallest]]
        chosen[split] = list(chain.from_iterable(asked))
    return chosen


def _blocks_of(task: str, split: str, seed: int) -> list[_Block]:
    """All blocks of a task in a split, in an order that the seed decides."""
    groups = {
        answer: _of_split(problems, split, derive_seed(seed, task, str(answer)))
        for answer, problems in _problems(task).items()
    }
    blocks = _comparisons(groups[0]) if task == ARITHMETIC_TASKS[2] else _results(task, groups)
    ranked = [(derive_seed(seed, "block", *(each.text for each in block)), block)
              for block in blocks]  # fmt: skip
    return [block for _, block in sorted(ranked)]


def _problems(task: str) -> dict[int, list[_Problem]]:
    """All problems of a task by their answer; those of comparisons all by 0."""
    if task == "arithmetic addition":
        return {total: [(a, total - a) for a in range(1, (total + 1) // 2)] for total in _SUMS}
    if task == "arithmetic subtraction":
        return {
            rest: [(rest + b, b) for b in range(1, _LARGEST + 1 - rest)] for rest in _DIFFERENCES
        }
    return {0: [(a, b) for b in range(2, _LARGEST + 1) for a in range(1, b)]}


def _of_split(problems: Sequence[_Problem], split: str, seed: int) -> list[_Problem]:
    """The problems that a split gets, in an order that the seed decides."""
    order = sorted(problems, key=lambda pair: derive_seed(seed, *map(str, pair)))
    held = max(1, int(len(order) * _HELD_OUT))
    parts = {"test": slice(held), "val": slice(held, 2 * held), "train": slice(2 * held, None)}
    return order[parts[split]]


def _results(task: str, groups: Mapping[int, Sequence[_Problem]]) -> Iterator[_Block]:
    """Blocks of sums or of differences: four answers far apart, in one wording and order.

    With four answers in a row, a small model stayed at chance on problems that it had not seen,
    where nothing can fall; an answer that is about right shows in answers far apart.
    """
    answers = sorted(groups)
    apart = len(answers) // BLOCK
    windows = [answers[start::apart] for start in range(apart)]
    for wording in _WORDINGS[task]:
        for swapped in (False, True) if task == "arithmetic addition" else (False,):
            for window in windows:
                choices = tuple(map(str, window))
                for problems in zip(*(groups[answer] for answer in window), strict=False):
                    yield tuple(
                        _question(task, wording, problem[::-1] if swapped else problem, choices,
                                  choices[place])
                        for place, problem in enumerate(problems)
                    )  # fmt: skip


def _comparisons(problems: Sequence[_Problem]) -> Iterator[_Block]:
    """Blocks of comparisons: two numbers in both orders, with both words."""
    task = ARITHMETIC_TASKS[2]
    for wording in _WORDINGS[task]:
        for problem in problems:
            choices = (str(problem[0]), str(problem[1]))
            yield tuple(
                _question(task, wording.replace("{word}", word), pair, choices, answer)
                for word, answer in zip(("smaller", "larger"), choices, strict=True)
                for pair in (problem, problem[::-1])
            )


def _question(
    task: str, wording: str, pair: tuple[int, ...], choices: tuple[str, ...], answer: str
) -> TextQuestion:
    a, b = pair
    first, second = (a, b) if task == "arithmetic subtraction" else sorted(pair)
    key = f"{task.split()[1]}-{first}-{second}"
    return TextQuestion(key, task, wording.format(a=a, b=b), answer, choices)
