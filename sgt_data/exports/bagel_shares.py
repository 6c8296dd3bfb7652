"""How many samples BAGEL's released data sets leave out where ranks and workers do not divide them.

They divide a list among ranks and then among workers, each time without the remainder, and repeat
their share for ever. Where the share is empty, they loop without a sample, and training waits.
"""

from __future__ import annotations

from collections.abc import Mapping

from sgt_data.exports.export_format import Export
from sgt_data.value_text import counted


def share_of_worker(samples: int, ranks: int, workers: int) -> int:
    """How many samples each worker of each rank gets."""
    return samples // ranks // workers


def note_shares(
    export: Export, samples: Mapping[str, int], ranks: int | None, workers: int | None
) -> None:
    """Say which groups starve, and how many samples are left out, where ranks or workers are
    stated.

    Args:
        export: gets the notes.
        samples: number of samples by group.
        ranks: processes that will train.
        workers: of each one's DataLoader.
    """
    if ranks is None and workers is None:
        return
    ranks, workers = ranks or 1, workers or 1
    readers = f"{counted(ranks, 'rank')} x {counted(workers, 'worker')}"
    for group, count in samples.items():
        share = share_of_worker(count, ranks, workers)
        if not share:
            export.report.note(
                f"{group}: {counted(count, 'sample')} for {readers}: the released loaders give "
                "every worker none, and wait for ever; take fewer workers or more samples, or the "
                "feeder"
            )
        elif left := count - share * ranks * workers:
            export.report.note(
                f"{group}: with {readers} the released loaders never give {left:,} of "
                f"{counted(count, 'sample')}, the remainder of the division"
            )
