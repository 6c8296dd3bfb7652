"""Linear probes on one split: half of its pictures train a probe, the other half tests it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from torch import nn

from sgt_data.experiment.measure.held_out import HeldOut
from sgt_data.experiment.measure.model_outputs import Features, picture_features
from sgt_data.experiment.measure.probe_examples import (
    ProbeExamples,
    number_examples,
    thing_examples,
)
from sgt_data.experiment.measure.probes import confused_categories, probe, two_category_probe
from sgt_data.experiment.measure.run_result import ProbeResult
from sgt_data.seeds import derive_seed


def probe_split(
    held_out: HeldOut,
    features: Features,
    seed: int,
    categories: tuple[str, str] | None = None,
) -> dict[str, ProbeResult]:
    """Results of the probes `shape`, `pair` and `number`; those with too few examples are left out.

    Args:
        held_out: the split.
        features: features of its pictures.
        seed: seed of the choice of regularisation and of the intervals.
        categories: the two categories of the probe `pair`; None for the most confused ones.
    """
    train_keys, test_keys = _halves(features)
    if not train_keys or not test_keys:
        return {}
    train = _thing_examples(held_out, features, train_keys)
    test = _thing_examples(held_out, features, test_keys)
    probes: Mapping[str, Callable[[], ProbeResult]] = {
        "shape": lambda: probe(train, test, seed),
        "pair": lambda: two_category_probe(train, test, seed, categories),
        "number": lambda: probe(
            _number_examples(held_out, features, train_keys),
            _number_examples(held_out, features, test_keys),
            seed,
        ),
    }
    results = {}
    for name, run_probe in probes.items():
        try:
            results[name] = run_probe()
        except ValueError:  # too few things, or of one kind only: there is nothing to tell apart
            continue
    return results


def most_confused_categories(
    model: nn.Module, held_out: HeldOut, seed: int
) -> tuple[str, str] | None:
    """The two categories that a probe on the model's features confuses most.

    Only the half of the split on which probes are trained is used.

    Returns:
        The two categories; None where there are too few things.
    """
    model.eval()
    features = picture_features(model, held_out)
    train_keys, _ = _halves(features)
    try:
        if not train_keys:
            return None
        return confused_categories(_thing_examples(held_out, features, train_keys), seed)
    except ValueError:  # too few things, or of one kind only
        return None


def _halves(features: Features) -> tuple[list[str], list[str]]:
    """Keys of the pictures that probes are trained on, and of those they are tested on."""
    halves: tuple[list[str], list[str]] = ([], [])
    for key in features:
        halves[derive_seed(0, "probe", key) % 2].append(key)
    return halves


def _thing_examples(held_out: HeldOut, features: Features, keys: Sequence[str]) -> ProbeExamples:
    grids = np.stack([features[key] for key in keys])
    return thing_examples(grids, [held_out.segmentations[key] for key in keys], keys)


def _number_examples(held_out: HeldOut, features: Features, keys: Sequence[str]) -> ProbeExamples:
    grids = np.stack([features[key] for key in keys])
    return number_examples(grids, [held_out.segmentations[key] for key in keys], keys)
