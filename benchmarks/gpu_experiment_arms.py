"""The runs of `gpu_experiment.py`: their size, and the configurations of stage 0 and the arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpu_experiment_data import Data

from sgt_data.training.config import TrainConfig, load_config
from sgt_data.training.shipped_configs import shipped_config

ARMS: Mapping[str, tuple[str, ...]] = {
    "questions alone": (),
    "entity": ("entity",),
    "semantic": ("semantic",),
}
"""By arm, the proxies whose targets it draws."""

SEED = 0
_ROWS = 40
"""Rows of a curve, about."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large everything is.

    Attributes:
        pictures: pictures of stage 0, and as many others of the arms.
        side: of a picture, pixels.
        width, layers, heads: of the model.
        questions, drawings, captions: of a batch.
        precision: of training.
        workers: processes that load the data of one run.
        timed: steps that are timed, after a tenth of them that are not.
        seconds: that stage 0 and the arms train, about; `most_steps` bounds them too.
        processes: that work at a time; None for one per core, and one per arm.
    """

    pictures: int = 3000
    side: int = 128
    width: int = 384
    layers: int = 8
    heads: int = 8
    questions: int = 32
    drawings: int = 64
    captions: int = 24
    precision: str = "bf16"
    workers: int = 4
    timed: int = 100
    seconds: tuple[float, float] = (60.0, 100.0)
    most_steps: int = 3000
    processes: int | None = None


TINY = Size(
    pictures=40, side=32, width=32, layers=1, heads=2, questions=8, drawings=8, captions=4,
    precision="fp32", workers=0, timed=4, seconds=(1.0, 1.0), most_steps=8, processes=1,
)  # fmt: skip


def stage_0(data: Data, size: Size, steps: int) -> TrainConfig:
    """The configuration of stage 0: the shipped one, at this size."""
    fields = {"captions": list(data.captions), "descriptions": [data.described]}
    return _config(shipped_config("pretrain"), data, fields, size, steps)


def arm(name: str, data: Data, size: Size, steps: int, init: Path | None) -> TrainConfig:
    """The configuration of an arm, which begins with a checkpoint, or with random weights."""
    fields = {"captions": list(data.captions[:1]), "proxies": list(ARMS[name])}
    sizes = [f"questions={size.questions}", f"captions={size.captions}"]
    sizes += [f"drawings={size.drawings}"] if ARMS[name] else []
    sizes += [] if init is None else [f"model.init={init}"]
    return _config(None, data, fields, size, steps, sizes)


def _config(
    file: Path | None,
    data: Data,
    fields: Mapping[str, Any],
    size: Size,
    steps: int,
    settings: Sequence[str] = (),
) -> TrainConfig:
    log_every = max(1, steps // _ROWS)
    shared = {
        "steps": steps, "log_every": log_every, "warm_up": min(100, steps // 4),
        "checkpoint_every": log_every * max(1, _ROWS // 4), "matrix_rate": 0.014, "rate": 0.002,
        "precision": size.precision, "workers": size.workers, "seed": SEED,
        "model.picture": size.side, "model.settings.width": size.width,
        "model.settings.layers": size.layers, "model.settings.heads": size.heads,
    }  # fmt: skip
    set_all = [*(f"{name}={value}" for name, value in shared.items()), *settings]
    return load_config(file, {"corpus": data.drawn, "questions": data.questions, **fields}, set_all)
