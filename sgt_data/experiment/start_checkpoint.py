"""The checkpoint that all arms of an experiment begin with: a run of stage 0."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.errors import RequestError
from sgt_data.experiment.learnt_pictures import picture_digests, read_learnt_pictures
from sgt_data.experiment.plan.experiment_plan import Plan
from sgt_data.experiment.pretraining_gate import Gate, read_gate
from sgt_data.files.urls import Location, plain
from sgt_data.training.checkpoint import CHECKPOINTS, newest_path, read_checkpoint
from sgt_data.value_text import counted, cut

_STAGE_0 = (
    "sgt-data train OTHER_CORPUS --stage pretrain --questions FOLDER --captions FOLDER "
    "--output PRETRAINED"
)


@dataclass(frozen=True, slots=True)
class Start:
    """A checkpoint that arms begin with.

    Attributes:
        folder: absolute path of the pretrained run.
        digest: SHA-256 of the checkpoint.
        model: `make`, `picture` and `settings` of its model.
        gate: what its gate measured; None where the plan asks for none and none was measured.
    """

    folder: str
    digest: str
    model: Mapping[str, Any]
    gate: Gate | None


def read_start(plan: Plan, init: Location | None) -> Start | None:
    """Read the checkpoint that a plan's arms begin with; None for random weights.

    Args:
        plan: the plan; its `train.model.init` stands for `init` where that is None.
        init: folder of a pretrained run.

    Raises:
        RequestError: there is no checkpoint and the plan does not begin from scratch, or there is
            one and it does; or the checkpoint's gate did not pass.
    """
    stated = _model_of(plan).get("init")
    chosen = stated if init is None else plain(init)
    if plan.from_scratch:
        if chosen is not None:
            raise RequestError(
                f"from_scratch: the plan begins with random weights, and --init is {cut(chosen)}; "
                "give one of the two"
            )
        return None
    if chosen is None:
        raise RequestError(
            "--init: an experiment post-trains a model that answers already. Make one with "
            f"`{_STAGE_0}` and give --init PRETRAINED; or say `from_scratch: true` in the plan, to "
            "begin with random weights"
        )
    folder = Path(chosen).absolute()
    path = newest_path(folder / CHECKPOINTS)
    if path is None:
        raise RequestError(
            f"--init: {folder} holds no checkpoint of a run; make one with `{_STAGE_0}`"
        )
    digest = sha256(path.read_bytes()).hexdigest()
    gate = _checked_gate(folder, digest) if plan.init_gate else read_gate(folder)
    stated_there = read_checkpoint(str(path)).config["model"]
    model = {name: stated_there[name] for name in ("make", "picture", "settings")}
    return Start(str(folder), digest, model, gate)


def with_start(plan: Plan, start: Start | None) -> Plan:
    """The plan with the model of the checkpoint that its arms begin with.

    Raises:
        RequestError: the plan, or the settings of an arm, state another model.
    """
    if start is None:
        return plan
    for where, train in (("train", plan.train), *plan.settings.items()):
        _check_model(where, train.get("model") or {}, start)
    model = {**start.model, "init": start.folder, "init_digest": start.digest}
    settings = {
        arm: {name: value for name, value in fields.items() if name != "model"}
        for arm, fields in plan.settings.items()
    }
    return replace(plan, train={**plan.train, "model": model}, settings=settings)


def check_unlearnt(
    start: Start | None, corpus: Corpus, held_out: Collection[str] | None = None
) -> None:
    """Check that the checkpoint learnt from no picture that validation or test asks about.

    Args:
        start: the checkpoint; None is right.
        corpus: corpus of the experiment, or of a further test set.
        held_out: keys of the pictures of validation and test; None for all.

    Raises:
        RequestError: it learnt from some.
    """
    if start is None:
        return
    learnt = read_learnt_pictures(Path(start.folder))
    both = sorted(
        key for key, digest in picture_digests(corpus, held_out).items() if digest in learnt
    )
    if both:
        raise RequestError(
            f"--init: {start.folder} learnt from {counted(len(both), 'picture')} of {corpus.url} "
            f"that validation and test ask about, such as {both[0]}; pretrain on another corpus, "
            "such as scenes of another seed"
        )


def _checked_gate(folder: Path, digest: str) -> Gate:
    gate = read_gate(folder)
    if gate is None:
        raise RequestError(
            f"--init: {folder} has no gate.json, so nobody knows whether its model answers; make "
            f"it with `{_STAGE_0}`"
        )
    if gate.checkpoint != digest:
        raise RequestError(
            f"--init: gate.json of {folder} is of another checkpoint; run its `sgt-data train "
            "--stage pretrain` again"
        )
    if not gate.passed:
        raise RequestError(f"--init: {folder} did not pass its gate: {gate.reason}")
    return gate


def _check_model(where: str, stated: Mapping[str, Any], start: Start) -> None:
    """Check that what a plan states of the model is what the checkpoint's configuration states."""
    wanted = {**stated, **{f"settings.{name}": value
                          for name, value in (stated.get("settings") or {}).items()}}  # fmt: skip
    right = {
        "make": start.model["make"], "picture": start.model["picture"], "init": start.folder,
        "init_digest": start.digest,
        **{f"settings.{name}": value for name, value in start.model["settings"].items()},
    }  # fmt: skip
    for name, value in wanted.items():
        if name == "settings" or (
            name == "init" and Path(str(value)).absolute() == Path(right[name])
        ):
            continue
        if name not in right or right[name] != value:
            has = cut(right[name]) if name in right else "does not state it"
            raise RequestError(
                f"{where}.model.{name}: found {cut(value)}, and the checkpoint {start.folder} has "
                f"{has}; its model is taken as it is, so take this out of the plan"
            )


def _model_of(plan: Plan) -> Mapping[str, Any]:
    model: Mapping[str, Any] = plan.train.get("model") or {}
    return model
