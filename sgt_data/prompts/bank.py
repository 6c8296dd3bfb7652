"""Instruction banks: `[train]` lines for corpora, `[held-out]` lines for evaluation alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from sgt_data.seeds import derive_seed

_NAME = re.compile(r"[a-z0-9_-]+")
_SECTIONS = ("train", "held-out")


@dataclass(frozen=True, slots=True)
class Bank:
    """Instructions of a task, in the order of the file; a line has a number within its split.

    Attributes:
        name: of the bank.
        train: lines that corpora use.
        held_out: lines for evaluation.
    """

    name: str
    train: tuple[str, ...]
    held_out: tuple[str, ...]


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


@lru_cache(maxsize=64)
def load_bank(name: str) -> Bank:
    """The bank `name` of this package, `prompts/<name>.txt`.

    Raises:
        FileNotFoundError: there is no such bank.
    """
    if not _NAME.fullmatch(name):  # it comes from the JSON of samples too
        raise FileNotFoundError(f"no bank is named {name!r:.40}")
    return parse_bank(name, (files(__package__) / f"{name}.txt").read_text("utf-8"))


def parse_bank(name: str, text: str) -> Bank:
    """Parse a bank: lines below `[train]` and below `[held-out]`; blank lines are ignored.

    Raises:
        ValueError: a line stands before the first section, or a section is unknown or empty.
    """
    lines: dict[str, list[str]] = {section: [] for section in _SECTIONS}
    section = None
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("["):
            section = line.strip("[]")
            if section not in lines:
                raise ValueError(f"bank {name}: section {line}; allowed are [train], [held-out]")
        elif section is None:
            raise ValueError(f"bank {name}: {line!r} stands before [train]")
        else:
            lines[section].append(line)
    if not all(lines.values()):
        raise ValueError(f"bank {name}: needs both [train] and [held-out] lines")
    return Bank(name, tuple(lines["train"]), tuple(lines["held-out"]))


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
    text = bank.train[line]
    for name, word in (words or {}).items():
        text = text.replace(f"{{{name}}}", word)
    return Instruction(text, bank.name, line)
