"""The option `--storage-option`, which every command takes that reads or writes URLs."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from sgt_data.cli.output import print_messages

TAKES_URLS = frozenset(
    {
        "build", "verify", "info", "preview", "view", "report", "annotate", "export", "push",
        "join", "score", "scale", "questions", "captions", "train", "experiment", "doctor",
    }
)  # fmt: skip
"""Commands whose arguments, manifests or settings may name places of an object store."""

StorageOption = Annotated[
    list[str] | None,
    typer.Option(
        "--storage-option",
        metavar="PROTOCOL.NAME=VALUE",
        help="option of a store, such as s3.profile=me; keys of the environment need none",
    ),
]


def with_storage_options(command: Callable[..., int]) -> Callable[..., int]:
    """A command with the option `--storage-option`, which is used before the command begins."""

    @functools.wraps(command)
    def run(*arguments: Any, storage_option: list[str] | None = None, **options: Any) -> int:
        if storage_option:
            from sgt_data.files.storage_options import parse_storage_options, use_storage_options

            for protocol, given in parse_storage_options(storage_option).items():
                use_storage_options(protocol, **given)
        code = command(*arguments, **options)
        if storage_option:
            print_messages(["(a next command needs the same --storage-option)"])
        return code

    signature = inspect.signature(command, eval_str=True)
    added = inspect.Parameter(
        "storage_option", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=StorageOption
    )
    parameters = [*signature.parameters.values(), added]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters} | {"return": int}
    return run
