"""What runs are measured on besides the split of the corpus."""

from __future__ import annotations

from dataclasses import dataclass

from sgt_data.experiment.measure.make_scorer import ScorerData


@dataclass(frozen=True, slots=True)
class FurtherSets:
    """What runs are measured on besides the split of the corpus; each may be missing.

    Attributes:
        questions: by name of a further set (`arithmetic`, `rich scenes`), its folder of questions,
            with `val.jsonl` and `test.jsonl`.
        generation: what drawings of captions are scored with; None where there are no captions.
    """

    questions: tuple[tuple[str, str], ...] = ()
    generation: ScorerData | None = None
