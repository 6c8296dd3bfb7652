"""Linear probes on one split: half of its pictures train a probe, the other half tests it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import nn

from sgt_data.experiment.measure.held_out import HeldOut
from sgt_data.experiment.measure.model_outputs import Features, picture_features
from sgt_data.experiment.measure.probe_examples import (
    number_examples,
    thing_examples,
)
from sgt_data.experiment.measure.probes import confused_categories, probe, two_category_probe
from sgt_data.experiment.measure.run_result import ProbeResult
from sgt_data.seeds import derive_seed


def probe_split(
    features: Features, seed: int, categories: tuple[str, str] | None = None
) -> dict[str, ProbeResult]:
    """Results of the probes `shape`, `pair` and `number`; those with too few examples are left out.

    All classes of `number` count the same: most pictures show a number or two.

    Args:
        features: what the probes read of the split's pictures.
        seed: seed of the choice of regularisation and of the intervals.
        categories: the two categories of the probe `pair`; None for the most confused ones.
    """
    train_keys, test_keys = _halves(features)
    if not train_keys or not test_keys:
        return {}
    train, test = thing_examples(features, train_keys), thing_examples(features, test_keys)
    probes: Mapping[str, Callable[[], ProbeResult]] = {
        "shape": lambda: probe(train, test, seed),
        "pair": lambda: two_category_probe(train, test, seed, categories),
        "number": lambda: probe(
            number_examples(features, train_keys),
            number_examples(features, test_keys),
            seed,
            balanced=True,
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
        return confused_categories(thing_examples(features, train_keys), seed)
    except ValueError:  # too few things, or of one kind only
        return None


def _halves(features: Features) -> tuple[list[str], list[str]]:
    """Keys of the pictures that probes are trained on, and of those they are tested on."""
    halves: tuple[list[str], list[str]] = ([], [])
    for key in features:
        halves[derive_seed(0, "probe", key) % 2].append(key)
    return halves
