"""The application `sgt-data`: its commands by name, `main`, and exit codes.

Exit codes: 0 done; 1 the work failed, or a check did; 2 the request was wrong; 128 and more: it was
stopped by a signal (`endings`). Results go to standard output, all else to standard error.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from sgt_data.cli import (
    annotation,
    building,
    captions,
    corpora,
    discovering,
    experiments,
    health,
    manifests,
    new,
    publishing,
    questions,
    scenes,
    score,
    subsets,
    trainers,
    training,
    viewing,
)
from sgt_data.cli.arguments import checked_arguments
from sgt_data.cli.endings import (
    end_on,
    ends_in_words,
    open_closed_streams,
    results_are_flushed,
    stops_as_interrupts,
)
from sgt_data.cli.examples import examples_text
from sgt_data.cli.json_log import with_log
from sgt_data.cli.storage import TAKES_URLS, with_storage_options
from sgt_data.errors import SgtDataError
from sgt_data.extras import library_missing

COMMANDS: dict[str, Callable[..., int]] = {
    "manifests": manifests.manifests_command,
    "init": manifests.init_command,
    "proxies": discovering.proxies_command,
    "sources": discovering.sources_command,
    "annotators": discovering.annotators_command,
    "palettes": discovering.palettes_command,
    "schema": discovering.schema_command,
    "build": building.build_command,
    "verify": corpora.verify_command,
    "info": corpora.info_command,
    "preview": corpora.preview_command,
    "view": viewing.view_command,
    "report": viewing.report_command,
    "annotate": annotation.annotate_command,
    "export": trainers.export_command,
    "push": publishing.push_command,
    "join": publishing.join_command,
    "score": score.score_command,
    "scale": subsets.scale_command,
    "questions": questions.questions_command,
    "captions": captions.captions_command,
    "sample": scenes.sample_command,
    "new": new.new_command,
    "train": training.train_command,
    "experiment": experiments.experiment_command,
    "doctor": health.doctor_command,
}
"""Every command by name; the parameters of its function are its arguments and options."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and exit the process.

    Args:
        arguments: without the name of the program; None for those of this process.
    """
    open_closed_streams()
    with stops_as_interrupts(), results_are_flushed():
        try:
            app(args=checked_arguments(sys.argv[1:] if arguments is None else arguments))
        except (SgtDataError, OSError) as error:
            sys.exit(end_on(error))
        except ImportError as error:
            if (missing := library_missing(error)) is None:
                raise
            sys.exit(end_on(missing))


def _exit_with(code: int, **root_options: object) -> None:
    """End with the exit code that a command returned."""
    raise typer.Exit(code)


def _print_version(asked: bool) -> None:
    if asked:
        from sgt_data.facts import FORMAT_VERSION, NEWEST_MINOR

        print(
            f"sgt-data {version('sgt-data')} (corpus format {FORMAT_VERSION}.{NEWEST_MINOR}, "
            f"Ray {version('ray')}, Python {platform.python_version()})"
        )
        raise typer.Exit


def _root_options(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Options of `sgt-data` itself."""


app = typer.Typer(
    name="sgt-data",
    help="Draw proxy tasks for semantic generative tuning, and keep them as WebDataset corpora.",
    no_args_is_help=True,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    callback=_root_options,
    result_callback=_exit_with,
)
for _name, _command in COMMANDS.items():
    if _name in TAKES_URLS:
        _command = with_storage_options(_command)
    _logged = with_log(_name, ends_in_words(_name, _command))
    app.command(_name, epilog=examples_text(_name))(_logged)
