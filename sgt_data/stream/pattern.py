"""One component a step: which component fills each batch, in a pattern that repeats.

With the pattern `panoptic, panoptic, vqa`, the batches of steps 0, 1, 3, 4, 6 ... hold samples of
`panoptic` alone, and those of steps 2, 5, 8 ... of `vqa` alone. So over whole patterns the shares
are exact, and no batch, on any rank, mixes two tasks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import RequestError
from sgt_data.value_text import counted

PATTERN_MAX = 10_000
"""Most steps of a pattern: its table has a row for each."""


class Pattern:
    """The number of samples of each component in every batch: all of one, a pure function of step.

    Attributes:
        components: names of the components, in the order in which they first come.
        batch_size: samples of a global batch.
        cycle: number of steps after which the pattern repeats.
    """

    def __init__(self, steps: Sequence[str], batch_size: int) -> None:
        """
        Args:
            steps: name of the component of each step.
            batch_size: samples of a global batch.

        Raises:
            RequestError: it has no step, or too many.
        """
        if not 0 < len(steps) <= PATTERN_MAX:
            raise RequestError(
                f"pattern: found {counted(len(steps), 'step')}; allowed: 1 to {PATTERN_MAX:,}, the "
                "name of a component for each"
            )
        self.components = tuple(dict.fromkeys(steps))
        self.batch_size, self.cycle = batch_size, len(steps)
        places = np.array([self.components.index(name) for name in steps])
        self._batches = np.zeros((len(steps) + 1, len(self.components)), np.int64)
        self._batches[1:] = np.cumsum(np.eye(len(self.components), dtype=np.int64)[places], axis=0)

    @property
    def is_constant(self) -> bool:
        """Whether the shares are the same for all steps: yes, over whole patterns."""
        return True

    @property
    def steps_until_all_come(self) -> int:
        """A number of steps within which every component has had a sample."""
        return self.cycle

    def counts_before(self, step: int) -> NDArray[np.int64]:
        """Number of samples of each component [C] in all batches before a step."""
        cycles, rest = divmod(step, self.cycle)
        batches: NDArray[np.int64] = cycles * self._batches[-1] + self._batches[rest]
        return batches * self.batch_size

    def counts(self, step: int) -> NDArray[np.int64]:
        """Number of samples of each component [C] in the batch of a step; one is `batch_size`."""
        counts: NDArray[np.int64] = self.counts_before(step + 1) - self.counts_before(step)
        return counts
