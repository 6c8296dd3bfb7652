"""What a build lost, and whether its manifest allows that: pure functions over its receipts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sgt_data.corpus.header import CorpusHeader
from sgt_data.corpus.paths import quarantine_path
from sgt_data.corpus.receipt import COUNTED, Receipt
from sgt_data.records import Slice
from sgt_data.result import Failure
from sgt_data.value_text import counted

Receipts = Mapping[str, Mapping[str, Receipt]]
"""By folder of the corpus and shard."""


def damaged_share(totals: Mapping[str, int]) -> float:
    """Share of the inputs that are damaged, with those that broken tars lost by estimate."""
    lost = totals.get("lost", 0)
    return (totals["damaged"] + lost) / max(1, totals["inputs"] + lost)


def filtered_share(totals: Mapping[str, int]) -> float:
    """Share of the inputs that filters left out."""
    return totals["filtered"] / max(1, totals["inputs"])


def beyond_max_quarantined(folder: str, share: float, bound: float) -> str:
    """That a folder has more damage than its manifest allows, as a sentence without a full stop."""
    return f"{folder}: {share:.1%} of the inputs are damaged, max_quarantined allows {bound:.1%}"


def beyond_max_filtered(folder: str, share: float, bound: float) -> str:
    """That filters left out more than the manifest allows, as a sentence without a full stop."""
    return f"{folder}: {share:.1%} of the inputs are filtered out, max_filtered allows {bound:.1%}"


def beyond_bounds(header: CorpusHeader) -> list[str]:
    """What a corpus that was built lost beyond the bounds of its manifest, a sentence each.

    A copy of a subset has its own share of losses, and no bounds.
    """
    if header.parent is not None:
        return []
    lines = []
    for field, share_of, sentence in (
        ("max_quarantined", damaged_share, beyond_max_quarantined),
        ("max_filtered", filtered_share, beyond_max_filtered),
    ):
        bound = header.manifest.get(field)
        if not isinstance(bound, int | float):  # no build of ours wrote it
            continue
        lines += [
            sentence(folder, share, bound)
            for folder, totals in header.totals.items()
            if totals.keys() >= set(COUNTED) and (share := share_of(totals)) > bound
        ]
    return lines


def again_note(failures: Sequence[Failure]) -> str:
    """That slices failed for a reason that may have passed, and are done once more.

    Args:
        failures: one for each slice, not none.
    """
    count = "1 slice was" if len(failures) == 1 else f"{len(failures):,} slices were"
    return f"{count} read again at the end, as this may have passed: {failures[0]}"


def ledgers_with_rows(receipts: Receipts) -> list[tuple[str, str]]:
    """Folder and path of every ledger that names an input."""
    return [
        (folder, quarantine_path(folder, shard))
        for folder, by_shard in receipts.items()
        for shard, receipt in sorted(by_shard.items())
        if receipt["damaged"] + receipt["filtered"]
    ]


def notes_on_slices(receipts: Receipts, slices: Iterable[Slice]) -> list[str]:
    """Remarks on slices that broken tars left incomplete, and on those that hold no input."""
    inputs: dict[tuple[str, str], int] = {}
    lost: dict[tuple[str, str], int] = {}
    for by_shard in receipts.values():
        in_folder: dict[tuple[str, str], tuple[int, int]] = {}
        for receipt in by_shard.values():
            piece = receipt["source"], receipt["slice"]
            counts = in_folder.get(piece, (0, 0))
            more = receipt["inputs"], receipt.get("lost", 0)
            in_folder[piece] = counts[0] + more[0], counts[1] + more[1]
        for piece, (count, missing) in in_folder.items():
            inputs[piece] = max(inputs.get(piece, 0), count)
            lost[piece] = max(lost.get(piece, 0), missing)
    notes = []
    for each in slices:
        piece = each.source, each.name
        where = f"{each.source}/{each.name}"
        if lost.get(piece):
            notes.append(f"{where}: its tar is broken; about {counted(lost[piece], 'input')} lost")
        if inputs.get(piece) == 0:
            notes.append(f"{where}: no member of it is an input of this source")
    return notes
