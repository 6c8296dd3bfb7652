"""The configuration for which the test split is opened: what is done, and with which bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import INPUT
from sgt_data.experiment.measure.further_sets import FurtherSets
from sgt_data.experiment.plan.experiment_plan import ExperimentKind, Plan
from sgt_data.experiment.plan.paces import ChosenPace
from sgt_data.experiment.prepare_data import QUESTIONS_FOLDER
from sgt_data.experiment.runs import find_instance_proxy
from sgt_data.files.output_place import QUESTIONS_MARKER
from sgt_data.training.config import digest_of

FORMAT_VERSION = 2

_WITHOUT_INFLUENCE = ("keep_drawn", "leave_out_missing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """What the configuration is made of.

    Attributes:
        kind: what differs between the arms.
        plan: the plan, with the corpus' own names of proxies and the model of the checkpoint.
        opened: the corpus.
        folder: folder of the experiment.
        categories: the two categories of the probe `pair`.
        paces: the paces that were chosen on validation.
        further: further sets that runs are measured on.
    """

    kind: ExperimentKind
    plan: Plan
    opened: Corpus
    folder: Path
    categories: tuple[str, str] | None
    paces: Sequence[ChosenPace]
    further: FurtherSets


def frozen_document(frozen: Frozen) -> dict[str, Any]:
    """The configuration as plain data.

    Proxies that the experiment does not use are no part of it, and nor is what is kept beside the
    results, nor where the checkpoint lies: its digest counts.
    """
    plan = asdict(frozen.plan)
    for name in _WITHOUT_INFLUENCE:
        del plan[name]
    if model := plan["train"].get("model"):
        plan["train"] = {**plan["train"], "model": {**model, "init": None}}
    questions = questions_marker(frozen.folder)["corpus"]
    proxies = {
        *frozen.plan.drawn_names, questions["proxy"], questions["depth"],
        find_instance_proxy(frozen.opened), INPUT,
    }  # fmt: skip
    header = frozen.opened.header
    fingerprints = {name: each for name, each in header.fingerprints.items() if name in proxies}
    generation = frozen.further.generation
    document: dict[str, Any] = orjson.loads(orjson.dumps({
        "version": FORMAT_VERSION,
        "kind": frozen.kind,
        "plan": plan,
        "corpus": {
            "name": header.name,
            "fingerprints": fingerprints,
            "subset": header.identity.get("subset"),
        },
        "pair": frozen.categories,
        "paces": {each.family: asdict(each.best.pace) for each in frozen.paces},
        "further": {
            **{name: _digest(folder) for name, folder in frozen.further.questions},
            "captions": [_digest(folder) for folder in generation.captions] if generation else [],
        },
    }))  # fmt: skip
    return document


def questions_marker(folder: Path) -> Mapping[str, Any]:
    """What `questions.json` says of the questions of an experiment."""
    path = folder / QUESTIONS_FOLDER / QUESTIONS_MARKER
    questions: dict[str, Any] = orjson.loads(path.read_bytes())
    return questions


def corpus_digest(frozen: Frozen) -> str:
    """Digest of the corpus as it was built, as far as questions are asked about it."""
    questions = questions_marker(frozen.folder)["corpus"]
    return digest_of({"name": questions["name"], "fingerprints": questions["fingerprints"]})


def _digest(folder: str) -> str:
    """Digest of the questions or captions on which validation and test are measured."""
    parts = [Path(folder, f"{split}.jsonl").read_bytes() for split in ("val", "test")]
    return sha256(b"\n".join(parts)).hexdigest()[:16]
