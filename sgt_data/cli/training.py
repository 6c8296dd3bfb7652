"""The command that trains one run: train."""

from __future__ import annotations

import os
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from sgt_data.cli.arguments import AsJson, CorpusUrl, names_in
from sgt_data.cli.output import command_text, print_messages, print_next, show
from sgt_data.cli.progress_bar import LOADING, ProgressBar
from sgt_data.value_text import counted

if TYPE_CHECKING:
    from sgt_data.experiment.pretraining import Pretrained
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
    captions: Annotated[
        list[str] | None,
        typer.Option(help="folder of `sgt-data captions`, or a .jsonl file; may be repeated"),
    ] = None,
    descriptions: Annotated[
        list[str] | None,
        typer.Option(help="folder of `sgt-data captions --ask`, or a .jsonl file; may be repeated"),
    ] = None,
    stage: Annotated[
        Literal["pretrain"] | None,
        typer.Option(
            help="pretrain: make a model that experiments begin with, and measure its gate"
        ),
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
        from sgt_data.experiment.pretraining import pretrain
        from sgt_data.subsets.open_corpus import open_corpus
        from sgt_data.training.batches import questions_file
        from sgt_data.training.config import load_config
        from sgt_data.training.shipped_configs import shipped_config
        from sgt_data.training.train import train as train_model

        if captions:  # else those of the file of settings
            data["captions"] = [questions_file(each) for each in captions]
        if descriptions:
            data["descriptions"] = [questions_file(each) for each in descriptions]
        if stage is not None and config is None:
            config = shipped_config(stage)
        settings = load_config(config, data, overrides or ())
        open_corpus(corpus)  # it is not read where nothing is drawn, and yet must be one
        if stage == "pretrain":
            pretrained = pretrain(settings, output, progress=bar)
        else:
            trained = train_model(settings, output, progress=bar)
    if stage == "pretrain":
        return _show_pretrained(pretrained, output, as_json)
    if os.environ.get("RANK", "0") != "0":  # another process of torchrun shows the result
        return 0
    show(_text(trained), {"checkpoint": str(trained.checkpoint), **trained.curve[-1]}, as_json)
    print_next(shlex.join(["tensorboard", "--logdir", output]))
    return 0


def _show_pretrained(pretrained: Pretrained, output: str, as_json: bool) -> int:
    """Show a run of stage 0 and its gate; the exit status."""
    trained, gate = pretrained.trained, pretrained.gate
    print_messages(pretrained.notes)
    verdict = "passed" if gate.passed else "did not pass"
    show(
        f"{_text(trained)}\n{verdict} its gate: {gate.reason}",
        {"checkpoint": str(trained.checkpoint), **trained.curve[-1], "gate": asdict(gate),
         "reused": pretrained.reused},
        as_json,
    )  # fmt: skip
    if gate.passed:
        command = ("scale", "CORPUS", "--init", output, "--output", "FOLDER")
        print_next(command_text("experiment", *command))
    return 0 if gate.passed else 1


def _text(trained: Trained) -> str:
    """The last row of a run's curve, and the place of its checkpoint."""
    last = trained.curve[-1]
    means = ", ".join(
        f"{name} {last[name]:.4f}" for name in sorted(set(last) - {"step", "seconds"})
    )
    steps = counted(int(last["step"]), "step")
    return f"{steps} in {last['seconds']:.0f} s: {means}\n{trained.checkpoint}"
