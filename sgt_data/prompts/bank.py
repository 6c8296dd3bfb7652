"""Instruction banks: `[train]` lines for corpora, `[held-out]` lines for evaluation alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from sgt_data.facts import STATED
from sgt_data.seeds import derive_seed
from sgt_data.suggestions import did_you_mean
from sgt_data.value_text import cut, cut_text

_NAME = re.compile(r"[a-z0-9_-]+")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_SECTIONS = ("train", "held-out")


@dataclass(frozen=True, slots=True)
class Bank:
    """Instructions of a task, in the order of the file; a line has a number within its split.

    Attributes:
        name: of the bank.
        train: lines that corpora use.
        held_out: lines for evaluation.
        own: whether a manifest gave its lines, so that no package holds them.
    """

    name: str
    train: tuple[str, ...]
    held_out: tuple[str, ...]
    own: bool = False


@dataclass(frozen=True, slots=True)
class Instruction:
    """The instruction that was chosen for a sample.

    Attributes:
        text: the instruction, with its placeholders filled.
        bank: name of the bank.
        line: number of the line among the bank's train lines.
    """

    text: str
    bank: str
    line: int


@lru_cache(maxsize=1)
def built_in_banks() -> tuple[str, ...]:
    """Names of the banks of this package."""
    names = (file.name for file in files(__package__).iterdir())
    of_files = (name.removesuffix(".txt") for name in names if name.endswith(".txt"))
    return tuple(sorted((*of_files, STATED)))


STATED_BANK = Bank(STATED, ("{text}",), ("{text}",))
"""The bank of samples whose source states the instruction: its one line is that text alone."""


@lru_cache(maxsize=64)
def load_bank(name: str) -> Bank:
    """The bank `name` of this package, `prompts/<name>.txt`, or `STATED_BANK`.

    Raises:
        FileNotFoundError: there is no such bank.
    """
    if name == STATED:
        return STATED_BANK
    if not _NAME.fullmatch(name):  # it comes from the JSON of samples too
        raise FileNotFoundError(f"no bank is named {cut(name, 40)}")
    return parse_bank(name, (files(__package__) / f"{name}.txt").read_text("utf-8"))


def parse_bank(name: str, text: str) -> Bank:
    """Parse a bank: lines below `[train]` and below `[held-out]`; blank lines are ignored.

    Raises:
        ValueError: a line stands before the first section, or a section is unknown or empty.
    """
    lines: dict[str, list[str]] = {section: [] for section in _SECTIONS}
    section = None
    for number, written in enumerate(re.split("\r\n|\r|\n", text.removeprefix("\ufeff")), 1):
        line = written.strip()
        if not line:
            continue
        if line.startswith("[") and line.endswith("]"):
            section = line.strip("[]")
            if section not in lines:
                raise ValueError(
                    f"bank {name}, line {number}: section {cut_text(line, 60)}; allowed are "
                    f"[train] and [held-out]{did_you_mean(section.lower(), _SECTIONS)}"
                )
        elif section is None:
            raise ValueError(
                f"bank {name}, line {number}: {cut(line, 60)} stands before [train]; the first "
                "line of a bank is [train], and [held-out] begins the lines for evaluation"
            )
        else:
            lines[section].append(line)
    for section, listed in lines.items():
        if not listed:
            raise ValueError(
                f"bank {name}: no line stands below [{section}]; a bank needs both [train] and "
                "[held-out] lines, and training never sees the held-out ones"
            )
    return Bank(name, tuple(lines["train"]), tuple(lines["held-out"]))


def placeholders(line: str) -> frozenset[str]:
    """Names of the placeholders `{name}` of a line."""
    return frozenset(_PLACEHOLDER.findall(line))


def choose_instruction(
    bank: Bank, seed: int, key: str, words: Mapping[str, str] | None = None
) -> Instruction:
    """Choose a train line by seed, bank and key alone.

    Args:
        bank: the bank.
        seed: of the manifest.
        key: of the sample.
        words: value of each placeholder `{name}` by its name.
    """
    line = derive_seed(seed, "instruction", bank.name, key) % len(bank.train)
    return Instruction(fill(bank.train[line], words or {}), bank.name, line)


def fill(line: str, words: Mapping[str, str]) -> str:
    """A line with words in place of its placeholders; a placeholder without a word stays.

    What a word itself holds is never a placeholder. Beside the line breaks of a word there are no
    spaces, and none of its line breaks begins or ends the text.
    """
    text = _PLACEHOLDER.sub(lambda blank: words.get(blank[1], blank[0]), line)
    return re.sub(r" *\n *", "\n", text).strip("\n") if "\n" in text else text
