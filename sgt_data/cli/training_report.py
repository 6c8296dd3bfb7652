"""What `sgt-data train` shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sgt_data.progress import OnProgress, Progress

if TYPE_CHECKING:
    from sgt_data.training.train import Trained

_SHOWN_MEANS = ("answers", "accuracy", "drawings")


def of_curve(on_progress: OnProgress, steps: int) -> Callable[[Mapping[str, float]], None]:
    """For `train`, which tells rows of its curve."""

    def call(row: Mapping[str, float]) -> None:
        means = ", ".join(f"{name} {row[name]:.3f}" for name in _SHOWN_MEANS if name in row)
        on_progress(Progress(int(row["step"]), steps, note=means))

    return call


def trained_text(trained: Trained) -> str:
    """The last row of a run's curve, and the place of its checkpoint."""
    last = trained.curve[-1]
    means = ", ".join(
        f"{name} {last[name]:.4f}" for name in sorted(set(last) - {"step", "seconds"})
    )
    return f"{int(last['step'])} steps in {last['seconds']:.0f} s: {means}\n{trained.checkpoint}"


def trained_document(trained: Trained) -> dict[str, Any]:
    """The last row of a run's curve and the place of its checkpoint, as plain JSON."""
    return {"checkpoint": str(trained.checkpoint), **trained.curve[-1]}
