"""Instruction banks: `[train]` lines that corpora use, `[held-out]` lines kept for evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from sgt_data.seeds import derive_seed

_SECTIONS = ("train", "held-out")


@dataclass(frozen=True, slots=True)
class Bank:
    """Instructions of one task, in file order; a line is known by its number within its split."""

    name: str
    train: tuple[str, ...]
    held_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Instruction:
    """A chosen line: its text, its bank and its number among the bank's train lines."""

    text: str
    bank: str
    line: int


@lru_cache(maxsize=64)
def load_bank(name: str) -> Bank:
    """The bank shipped as `prompts/<name>.txt`."""
    return parse_bank(name, (files(__package__) / f"{name}.txt").read_text("utf-8"))


def parse_bank(name: str, text: str) -> Bank:
    """Lines below `[train]` and below `[held-out]`; blank lines do not count.

    Raises:
        ValueError: a line stands before the first section, a section is unknown or empty.
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
    """A train line that depends on seed, bank and key alone; `{name}` in it is replaced by
    `words[name]`."""
    line = derive_seed(seed, "instruction", bank.name, key) % len(bank.train)
    text = bank.train[line]
    for name, word in (words or {}).items():
        text = text.replace(f"{{{name}}}", word)
    return Instruction(text, bank.name, line)
