"""What comes of shards as events: committed shards, the inputs that they lost, and what failed."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from sgt_data.corpus.paths import quarantine_path
from sgt_data.corpus.reasons import rows_of_ledger
from sgt_data.corpus.receipt import Receipt
from sgt_data.engine.outcomes import CommittedShard
from sgt_data.errors import CorpusError, SourceError
from sgt_data.event_log import is_heard, tell
from sgt_data.files.reading import read_bytes
from sgt_data.files.urls import below
from sgt_data.foreign_errors import in_words
from sgt_data.result import Failure

_DIGITS = 4


def tell_committed(shard: CommittedShard) -> None:
    """Tell that a shard is committed: of every folder what it holds, and where its time went."""
    if not is_heard() or not shard.receipts:
        return
    first = shard.receipts[0]
    stages = {name: round(each, _DIGITS) for name, each in shard.times.stages.items()}
    tell(
        "shard_committed",
        f"{shard.shard} committed",
        shard=shard.shard,
        source=first.get("source"),
        slice=first.get("slice"),
        seconds=round(shard.seconds, _DIGITS),
        folders=list(map(_folder, shard.receipts)),
        stages=stages or None,
    )


def tell_failed(failure: Failure) -> None:
    """Tell that a slice or a shard failed."""
    tell("part_failed", failure.message, logging.ERROR, part=failure.part)


def tell_quarantined(root: str, receipts: Iterable[Receipt]) -> None:
    """Tell which inputs did not become samples of shards of a corpus: a row of a ledger each.

    Ledgers are read only where somebody hears it.
    """
    for receipt in receipts if is_heard() else ():
        if receipt["damaged"] + receipt["filtered"]:
            path = quarantine_path(receipt["proxy"], receipt["shard"])
            tell_ledger(root, path, folder=receipt["proxy"], shard=receipt["shard"])


def tell_ledger(root: str, path: str, **place: str) -> None:
    """Tell the rows of a quarantine ledger.

    Args:
        root: of the output.
        path: of the ledger below it.
        place: folder and shard of the ledger.
    """
    if not is_heard():
        return
    try:
        rows = rows_of_ledger(read_bytes(below(root, path)), path)
    except (SourceError, CorpusError) as why:  # the work goes on without these events
        tell("message", f"the ledger {path} cannot be read: {in_words(why)}", logging.WARNING)
        return
    for row in rows:
        if row["kind"] != "note":
            tell("input_quarantined", row["reason"], logging.WARNING, **place, **row)


def _folder(receipt: Receipt) -> dict[str, Any]:
    """What a folder holds of a shard; a tar of masks has no name of a folder."""
    counts = {name: receipt.get(name, 0) for name in ("samples", "damaged", "filtered")}
    nbytes = receipt["tar"]["bytes"] if receipt["tar"] else 0
    return {"folder": receipt.get("proxy", "masks"), **counts, "bytes": nbytes}
