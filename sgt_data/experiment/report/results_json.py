"""`results.json`: the numbers of all runs, from which every printed figure can be computed again.

The file holds answers as counts of each picture and task, so that also intervals over pictures can
be computed; its own field `how_to_read` says how. Curves and intervals of single runs are left out:
they are in the JSON file of each run, and the tables do not need them.
"""

from __future__ import annotations

import zlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from sgt_data.experiment.measure.run_result import Marks, RunResult
from sgt_data.experiment.plan.experiment_plan import ExperimentKind
from sgt_data.experiment.report.findings import Finding, Findings

if TYPE_CHECKING:
    from sgt_data.experiment.measure.generation_bounds import GenerationBounds

RESULTS_VERSION = 1

HOW_TO_READ = {
    "questions": "Of each set of questions ('answers' is the split itself): its tasks, the number "
    "of pictures, and how many questions each picture has in each task: numbers of one byte "
    "[tasks, pictures], zlib, base64. In Python: numpy.frombuffer(zlib.decompress("
    "base64.b64decode(text)), numpy.uint8).reshape(tasks, pictures).",
    "runs.answers": "Of each set: how many questions each picture has right, in the same form. "
    "Mean accuracy is the mean over tasks of right / asked. Tables show the mean over seeds ± the "
    "standard deviation over seeds (n - 1) / sqrt(seeds).",
    "runs.attention": "Share of attention to the picture and what even attention would give, by "
    "layer.",
    "runs.generation": "Share of captions drawn right, by what is drawn and task. 'OUTPUT, "
    "captions shuffled' has the share for captions of other pictures; 'own less shuffled (OUTPUT)' "
    "is the mean of OUTPUT less that.",
    "comparisons": "Each is the sum over arms of weight x number of the arm, for each common seed. "
    "Value: mean over seeds. With answers (pictures is a number): let y[s, p] be the weighted sum "
    "of z, where z of a run and picture is the mean over tasks of share + pictures x (right[p] - "
    "share x asked[p]) / sum(asked). Variance: var(mean over p of y) / seeds + var(mean over s of "
    "y) / pictures, both var with n - 1; degrees of freedom: variance squared / (first part "
    "squared / (seeds - 1) + second part squared / (pictures - 1)); interval and p: Student's t. "
    "Without pictures: Student's t over seeds. Slopes: the weights are those of least squares on "
    "log2 of the number of pictures. adjusted_p: Holm's method over all comparisons that have it.",
}


def encode_results(
    kind: ExperimentKind,
    results: Sequence[RunResult],
    findings: Findings,
    bounds: GenerationBounds | None,
) -> bytes:
    """The file's bytes: the same results give the same bytes.

    Args:
        kind: what differs between the arms.
        results: results of all runs.
        findings: all comparisons.
        bounds: ceiling and floor of generation; None where they are not known.
    """
    document = {
        "version": RESULTS_VERSION,
        "how_to_read": HOW_TO_READ,
        "kind": kind,
        "split": results[0].split,
        "questions": _questions(results),
        "guessing": _by_task(results[0], "chance"),
        "commonest": _by_task(results[0], "commonest"),
        "generation_bounds": None
        if bounds is None
        else {"ceiling": _values(bounds.ceiling), "floor": _values(bounds.floor)},
        "comparisons": [
            *([] if findings.primary is None else [_comparison("primary", findings.primary)]),
            *(_comparison("family", each) for each in findings.family),
            *(_comparison("negative control", each) for each in findings.negative_controls),
        ],
        "runs": [_run(result) for result in results],
    }  # fmt: skip
    parts = {name: orjson.dumps(value) for name, value in document.items()}
    runs = b",\n".join(orjson.dumps(run) for run in document["runs"])  # type: ignore[attr-defined]
    parts["runs"] = b"[\n" + runs + b"\n]"
    lines = (orjson.dumps(name) + b": " + value for name, value in parts.items())
    return b"{\n" + b",\n".join(lines) + b"\n}\n"


def _run(result: RunResult) -> dict[str, Any]:
    sets = {"answers": result.marks, **{name: each.marks for name, each in result.others.items()}}
    return {
        "arm": result.arm,
        "x": result.x,
        "seed": result.seed,
        "digest": result.digest,
        "answers": {name: _packed(_counts(marks)[0]) for name, marks in sets.items()},
        "training": {
            "accuracy": _rounded(result.training_accuracy),
            "seconds": _rounded(result.seconds),
            "questions": result.samples.questions,
            "drawings": result.samples.drawings,
            "pictures": result.samples.pictures,
        },
        "lift_off": result.lift_off,
        "could_lift_off": bool(result.validation_curve),
        "plateau": None
        if result.plateau is None
        else {"accuracy": _rounded(result.plateau.accuracy), "reached": result.plateau.reached},
        "probes": {
            name: [_rounded(probe.accuracy.value), _rounded(probe.chance)]
            for name, probe in result.probes.items()
        },
        "layout": _values(result.layout),
        "generation": _values(result.generation),
        "attention": [
            [_rounded(layer.share.value), _rounded(layer.uniform)] for layer in result.attention
        ],
    }


def _comparison(kind: str, finding: Finding) -> dict[str, Any]:
    comparison, contrast = finding.comparison, finding.contrast
    document: dict[str, Any] = {
        "kind": kind,
        "name": comparison.name,
        "quantity": comparison.quantity.name,
        "arms": [
            {"arm": group.arm, "x": group.x, "weight": weight}
            for group, weight in zip(comparison.groups, comparison.weights, strict=True)
        ],
        "seeds": comparison.common_seeds,
    }
    if contrast is not None:
        document |= {
            "value": _rounded(contrast.value),
            "low": _rounded(contrast.low),
            "high": _rounded(contrast.high),
            "p": _significant(contrast.p),
            "adjusted_p": _significant(finding.adjusted),
            "pictures": contrast.pictures,
        }
    return document


def _questions(results: Sequence[RunResult]) -> dict[str, dict[str, Any]]:
    """The questions of each set, from a run that has it."""
    sets: dict[str, Marks] = {}
    for result in results:
        for name, each in result.others.items():
            sets.setdefault(name, each.marks)
    questions = {}
    for name, marks in {"answers": results[0].marks, **sets}.items():
        asked = _counts(marks)[1]
        questions[name] = {
            "tasks": sorted(marks), "pictures": asked.shape[1], "asked": _packed(asked)
        }  # fmt: skip
    return questions


def _counts(marks: Marks) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    """Right answers and questions [2, tasks, pictures]; tasks and pictures in order of names."""
    keys = sorted({key for pictures in marks.values() for key in pictures})
    counts = np.array([[marks[task].get(key, (0, 0)) for key in keys] for task in sorted(marks)])
    if counts.max(initial=0) > np.iinfo(np.uint8).max:
        raise ValueError(f"a picture has {counts.max()} questions of one task; 255 can be kept")
    return np.moveaxis(counts, -1, 0).astype(np.uint8)


def _packed(counts: np.ndarray[Any, np.dtype[np.uint8]]) -> str:
    return b64encode(zlib.compress(np.ascontiguousarray(counts).tobytes(), 9)).decode()


def _by_task(result: RunResult, name: str) -> dict[str, float | None]:
    return {task: _rounded(getattr(value, name)) for task, value in result.accuracy.items()}


def _values(by_name: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float | None]]:
    return {
        name: {measure: _rounded(estimate.value) for measure, estimate in estimates.items()}
        for name, estimates in by_name.items()
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _significant(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")
