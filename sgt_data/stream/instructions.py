"""Which line of its bank a sample's instruction is: the stored one, or one drawn while streaming.

A corpus stores one instruction a sample, so over ten epochs a model sees the same words with the
same picture ten times. Drawn anew in each epoch they vary as the bank does; the words that a line
is filled with ("the leftmost dog") stay those of the sample. Train and held-out lines never mix.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sgt_data.corpus.sample import Sample
from sgt_data.errors import CorpusError
from sgt_data.prompts.bank import Bank, choose_instruction, load_bank
from sgt_data.seeds import derive_seed
from sgt_data.stream.components import Item
from sgt_data.stream.options import Instructions

_BANK, _BLANK = re.compile(r"[a-z0-9_]+"), re.compile(r"\{(\w+)\}")


def instructed(sample: Item, instructions: Instructions, seed: int, epoch: int) -> Item:
    """The sample with the instruction that it has in an epoch of the stream; a pure function of
    seed, epoch, proxy and key. `facts["instruction"]` then states split and number of that line.
    A conversation has its own words and keeps them.

    Raises:
        CorpusError: its facts name no bank of this package, or words that do not fill its lines.
    """
    if instructions == "stored" or not isinstance(sample, Sample):
        return sample
    bank, words = _stated(sample)
    if instructions == "held-out":
        bank, split, epoch = replace(bank, train=bank.held_out), "held-out", 0
    else:
        split = "train"
    drawn = derive_seed(seed, "instructions", instructions, sample.proxy, str(epoch))
    chosen = choose_instruction(bank, drawn, sample.key, words)
    said = {**sample.facts["instruction"], "split": split, "line": chosen.line}
    return replace(sample, instruction=chosen.text, facts={**sample.facts, "instruction": said})


def _stated(sample: Sample) -> tuple[Bank, Mapping[str, str]]:
    """The bank and the words that a sample's facts state."""
    said: Any = sample.facts.get("instruction")
    try:
        name, words = said["bank"], said.get("words", {})
        # the name becomes a file's: no path may hide in it
        if not _BANK.fullmatch(name) or not all(isinstance(one, str) for one in words.values()):
            raise ValueError(f"bank {name!r:.40} with words {words!r:.80}")
        bank = load_bank(name)
        if lacking := _blanks(name) - set(words):
            raise ValueError(f"bank {name} has lines with {', '.join(sorted(lacking))}")
        return bank, words
    except (KeyError, TypeError, ValueError, AttributeError, FileNotFoundError) as why:
        raise CorpusError(
            f"{sample.corpus}: {sample.proxy}/{sample.shard}, sample {sample.key}: its facts state "
            f"no instruction that can be drawn anew: {why!r:.200}"
        ) from why


@lru_cache(maxsize=64)
def _blanks(name: str) -> frozenset[str]:
    """What the lines of a bank are to be filled with."""
    bank = load_bank(name)
    return frozenset(_BLANK.findall(" ".join((*bank.train, *bank.held_out))))
