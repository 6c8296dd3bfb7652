"""What an experiment reads besides its corpus, and what it makes of it for all its runs."""

from __future__ import annotations

from dataclasses import dataclass

from sgt_data.files.urls import Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Materials:
    """What an experiment reads besides its corpus; each may be missing.

    Attributes:
        init: folder of a run of stage 0, whose weights all arms begin with.
        captions: COCO's file of captions of the corpus' pictures, for replay and generation.
        rich: a corpus of more varied scenes, whose questions are a further test.
        ledger: file in which openings of the test split are recorded; None for the one beside the
            corpus.
    """

    init: Location | None = None
    captions: Location | None = None
    rich: Location | None = None
    ledger: Location | None = None
