"""Which instruction a sample gets in a stream: the stored one, or another line of its bank.

A corpus stores one instruction per sample, so over ten epochs a model sees the same words with the
same picture ten times. Lines that are drawn anew in each epoch vary as the bank does. The words
that fill a line's blanks ("the leftmost dog") stay those of the sample. Lines for training and
held-out lines never mix.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sgt_data.corpus.sample import Sample
from sgt_data.errors import CorpusError
from sgt_data.foreign_errors import in_words
from sgt_data.prompts.bank import Bank, choose_instruction, load_bank, placeholders
from sgt_data.seeds import derive_seed
from sgt_data.stream.mixture_components import Item
from sgt_data.stream.options import Instructions
from sgt_data.value_text import cut, cut_text

_BANK_NAME = re.compile(r"[a-z0-9_]+")


def with_instruction(
    sample: Item, instructions: Instructions, seed: int, epoch: int, own: Bank | None = None
) -> Item:
    """A sample with the instruction that it has in an epoch of a stream.

    The instruction is a pure function of seed, epoch, proxy and key. `facts["instruction"]` states
    the split and the number of the line. A conversation has its own words and stays as it is.

    Args:
        sample: a sample or a conversation.
        instructions: `stored`, `resampled` or `held-out`.
        seed: seed of the stream.
        epoch: number of the epoch.
        own: the lines that the corpus itself keeps; None where it has a built-in bank.

    Raises:
        CorpusError: the facts name no bank of this package, or words that do not fill its lines.
    """
    if instructions == "stored" or not isinstance(sample, Sample):
        return sample
    bank, words = _bank_and_words(sample, own)
    if instructions == "held-out":
        bank, split, epoch = replace(bank, train=bank.held_out), "held-out", 0
    else:
        split = "train"
    line_seed = derive_seed(seed, "instructions", instructions, sample.proxy, str(epoch))
    chosen = choose_instruction(bank, line_seed, sample.key, words)
    record = {**sample.facts["instruction"], "split": split, "line": chosen.line}
    return replace(sample, instruction=chosen.text, facts={**sample.facts, "instruction": record})


def _bank_and_words(sample: Sample, own: Bank | None) -> tuple[Bank, Mapping[str, str]]:
    """The bank and the words that a sample's facts name."""
    record: Any = sample.facts.get("instruction")
    try:
        name, words = record["bank"], record.get("words", {})
        # the name becomes that of a file, so it must not hold a path
        if not _BANK_NAME.fullmatch(name) or not all(
            isinstance(word, str) for word in words.values()
        ):
            raise ValueError(f"bank {cut(name, 40)} with words {cut(words)}")
        bank = own or load_bank(name)
        if bank.name != name:
            raise ValueError(f"bank {cut(name, 40)}, and its corpus keeps {bank.name}")
        if missing := _blanks(bank) - set(words):
            raise ValueError(f"bank {name} has lines with {', '.join(sorted(missing))}")
        return bank, words
    except (KeyError, TypeError, ValueError, AttributeError, FileNotFoundError) as why:
        raise CorpusError(
            f"{sample.corpus}: {sample.proxy}/{sample.shard}, sample {sample.key}: its facts state "
            f"no instruction that can be drawn anew: {cut_text(in_words(why), 200)}"
        ) from why


@lru_cache(maxsize=64)
def _blanks(bank: Bank) -> frozenset[str]:
    """Names of the blanks in the lines of a bank."""
    return placeholders(" ".join((*bank.train, *bank.held_out)))
