"""How often the 95 % interval of a difference between two arms holds the true difference.

    python benchmarks/contrast_coverage.py [--trials 1000]

Draws right and wrong answers (two tasks, 150 pictures, up to four questions) of two arms that are
equally good over all seeds and pictures, so the true difference is 0. What varies between the arms
is the skill of a seed, the hardness of a picture, and the hardness of a picture for one seed, each
with its own standard deviation. Prints a line of JSON for each combination and number of seeds.
"""

from __future__ import annotations

import argparse
import json
from itertools import product

import numpy as np

from sgt_data.experiment.measure.contrast import accuracy_contrast
from sgt_data.experiment.measure.run_result import Marks

SEEDS = (2, 3, 5)
OF_SEED, OF_PICTURE, OF_BOTH = (0.0, 0.03, 0.1), (0.0, 0.2), (0.0, 0.2)
"""Standard deviations of an arm's chance of a right answer."""

_PICTURES = 150


def main() -> None:
    """Print the share of intervals that hold the truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000)
    trials = parser.parse_args().trials
    for seeds, *deviations in product(SEEDS, OF_SEED, OF_PICTURE, OF_BOTH):
        rng = np.random.default_rng(0)
        held, reach = 0, []
        for _ in range(trials):
            arms = [arm_marks(rng, seeds, (deviations[0], deviations[1], deviations[2]))
                    for _ in range(2)]  # fmt: skip
            contrast = accuracy_contrast(arms, (1, -1))
            assert contrast.low is not None and contrast.high is not None
            held += contrast.low <= 0 <= contrast.high
            reach.append(contrast.high - contrast.value)
        print(json.dumps({
            "seeds": seeds,
            "deviations of seed, picture, both": deviations,
            "coverage": round(held / trials, 3),
            "half interval": round(float(np.mean(reach)), 4),
        }), flush=True)  # fmt: skip


def arm_marks(
    rng: np.random.Generator, seeds: int, deviations: tuple[float, float, float]
) -> list[Marks]:
    """Marks of an arm's seeds; all arms have the same questions."""
    of_seed, of_picture, of_both = deviations
    asked = np.random.default_rng(1).integers(1, 5, (2, _PICTURES))
    chance = np.clip(
        0.5
        + of_seed * rng.standard_normal((seeds, 1, 1))
        + of_picture * rng.standard_normal((1, 2, _PICTURES))
        + of_both * rng.standard_normal((seeds, 2, _PICTURES)),
        0,
        1,
    )
    right = rng.binomial(asked, chance)
    return [
        {
            task: {
                str(picture): (int(right[seed, row, picture]), int(asked[row, picture]))
                for picture in range(_PICTURES)
            }
            for row, task in enumerate(("count", "presence"))
        }
        for seed in range(seeds)
    ]


if __name__ == "__main__":
    main()
