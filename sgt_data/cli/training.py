"""The command that trains one run: train."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sgt_data.cli.arguments import AsJson, CorpusUrl, names_in
from sgt_data.cli.output import print_next, show
from sgt_data.cli.progress_bar import LOADING, ProgressBar
from sgt_data.value_text import counted

if TYPE_CHECKING:
    from sgt_data.training.train import Trained


def train_command(
    corpus: CorpusUrl,
    questions: Annotated[
        str, typer.Option(help="folder written by `sgt-data questions`, or a .jsonl file")
    ],
    output: Annotated[str, typer.Option(help="folder of the run; an interrupted run is continued")],
    proxies: Annotated[
        list[str] | None,
        typer.Option("--proxy", metavar="PROXY,...", help="proxies to draw, by commas or repeated"),
    ] = None,
    fraction: Annotated[
        float | None, typer.Option(help="share of the corpus that is drawn, 0 to 1")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file of settings")] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="change one setting; may be repeated"),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Train the bundled model, or your own, on a corpus."""
    data: dict[str, Any] = {"corpus": corpus, "questions": questions}
    if proxies is not None:  # else those of the file of settings
        data["proxies"] = names_in("--proxy", proxies)
    if fraction is not None:
        data["fraction"] = fraction
    with ProgressBar("steps", phase=LOADING) as bar:
        from sgt_data.subsets.open_corpus import open_corpus
        from sgt_data.training.config import load_config
        from sgt_data.training.train import train as train_model

        settings = load_config(config, data, overrides or ())
        open_corpus(corpus)  # it is not read where nothing is drawn, and yet must be one
        trained = train_model(settings, output, progress=bar)
    if os.environ.get("RANK", "0") != "0":  # another process of torchrun shows the result
        return 0
    show(_text(trained), {"checkpoint": str(trained.checkpoint), **trained.curve[-1]}, as_json)
    print_next(shlex.join(["tensorboard", "--logdir", output]))
    return 0


def _text(trained: Trained) -> str:
    """The last row of a run's curve, and the place of its checkpoint."""
    last = trained.curve[-1]
    means = ", ".join(
        f"{name} {last[name]:.4f}" for name in sorted(set(last) - {"step", "seconds"})
    )
    steps = counted(int(last["step"]), "step")
    return f"{steps} in {last['seconds']:.0f} s: {means}\n{trained.checkpoint}"
