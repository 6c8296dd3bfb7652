"""Arithmetic as text, without a picture: a control for what post-training on drawings changes.

Three tasks, each with answers of one word: sums, differences, and which of two numbers is larger or
smaller. A problem, in all its wordings and orders, belongs to one split. Questions come in blocks
of four that balance each other, so the words around the numbers do not tell the answer: a reader
who skips the numbers is exactly at chance.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, permutations, product

from sgt_data import checks
from sgt_data.errors import RequestError
from sgt_data.questions.splits import SPLITS
from sgt_data.seeds import derive_seed

ARITHMETIC_TASKS = ("arithmetic addition", "arithmetic subtraction", "arithmetic comparison")
"""The tasks, which share the questions of a split equally."""

BLOCK = 4
"""Questions that balance each other, and choices of a sum or a difference."""

_NUMBERS = range(1, 13)
"""Numbers of sums and differences: few, and three in a problem, so that a small model learns what
each is worth, and is often right about problems that it has not seen."""

_SUMS = range(14, 26)
_DIFFERENCES = range(2, 14)
"""Answers; twelve each, so that each has three others, three apart, as its block's choices."""

_LARGEST = 40
"""The largest number in a comparison."""

_HELD_OUT = 0.2
"""Share of an answer's problems that each of val and test gets, at least one; train has the
rest."""

_WORDINGS: Mapping[str, tuple[str, ...]] = {
    "arithmetic addition": (
        "What is {0} + {1} + {2}?",
        "What is {0} plus {1} plus {2}?",
        "How much do {0}, {1} and {2} make together?",
        "Add {0}, {1} and {2}. What do you get?",
    ),
    "arithmetic subtraction": (
        "What is {0} + {1} - {2}?",
        "What is {0} plus {1} minus {2}?",
        "Add {0} and {1}, then take {2} away. What is left?",
        "Take {2} away from {0} + {1}. What is left?",
    ),
    "arithmetic comparison": (
        "Which is {word}, {0} or {1}?",
        "Which number is {word}: {0} or {1}?",
        "Of {0} and {1}, which is the {word} number?",
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


_Problem = tuple[int, ...]
"""Different numbers: three, in a difference the one that is taken away last; or two to compare.
Those whose order changes nothing stand in rising order."""

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
    problems: dict[int, list[_Problem]] = defaultdict(list)
    if task == "arithmetic comparison":
        problems[0] += combinations(range(1, _LARGEST + 1), 2)
    elif task == "arithmetic addition":
        for numbers in combinations(_NUMBERS, 3):
            problems[sum(numbers)].append(numbers)
    else:
        for (a, b), c in product(combinations(_NUMBERS, 2), _NUMBERS):
            if c not in (a, b):
                problems[a + b - c].append((a, b, c))
    answers = {"arithmetic addition": _SUMS, "arithmetic subtraction": _DIFFERENCES}
    return {answer: problems[answer] for answer in answers.get(task, (0,))}


def _of_split(problems: Sequence[_Problem], split: str, seed: int) -> list[_Problem]:
    """The problems that a split gets, in an order that the seed decides."""
    order = sorted(problems, key=lambda numbers: derive_seed(seed, *map(str, numbers)))
    held = max(1, int(len(order) * _HELD_OUT))
    parts = {"test": slice(held), "val": slice(held, 2 * held), "train": slice(2 * held, None)}
    return order[parts[split]]


def _results(task: str, groups: Mapping[int, Sequence[_Problem]]) -> Iterator[_Block]:
    """Blocks of sums or of differences: four answers apart, in one wording and order.

    Of four answers in a row, a small model gave a wrong neighbour to most problems that it had not
    seen; it was below chance, where a control shows nothing.
    """
    answers = sorted(groups)
    apart = len(answers) // BLOCK
    windows = [answers[start::apart] for start in range(apart)]
    orders = [*permutations(range(3))] if task == "arithmetic addition" else [(0, 1, 2), (1, 0, 2)]
    for wording, order, window in product(_WORDINGS[task], orders, windows):
        choices = tuple(map(str, window))
        for problems in zip(*(groups[answer] for answer in window), strict=False):
            yield tuple(
                TextQuestion(
                    _key(task, problem), task, wording.format(*(problem[n] for n in order)),
                    answer, choices,
                )
                for problem, answer in zip(problems, choices, strict=True)
            )  # fmt: skip


def _comparisons(problems: Sequence[_Problem]) -> Iterator[_Block]:
    """Blocks of comparisons: two numbers in both orders, with both words."""
    task = ARITHMETIC_TASKS[2]
    for wording, problem in product(_WORDINGS[task], problems):
        choices = tuple(map(str, problem))
        yield tuple(
            TextQuestion(
                _key(task, problem), task, wording.format(*pair, word=word), answer, choices
            )
            for word, answer in zip(("smaller", "larger"), choices, strict=True)
            for pair in (problem, problem[::-1])
        )


def _key(task: str, problem: _Problem) -> str:
    return "-".join((task.split()[1], *map(str, problem)))
