"""Arguments and options that several commands take."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Annotated

import typer

from sgt_data.errors import RequestError

CorpusUrl = Annotated[str, typer.Argument(metavar="CORPUS", help="fsspec URL of a corpus")]
AsJson = Annotated[bool, typer.Option("--json", help="print the result as one line of JSON")]
LogJson = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|-",
        help="add a line of JSON to this file for each event (shards, lost inputs, failures); - "
        "for standard error",
    ),
]
"""What `cli.json_log` reads; commands themselves do not."""
RayAddress = Annotated[
    str | None,
    typer.Option(help="Ray cluster: host:port, ray://host:port or auto; default: this machine"),
]
RayWorkers = Annotated[
    int | None,
    typer.Option(
        help="CPUs of a Ray on this machine; 0 works in this process, without Ray; default: all, "
        "and 0 where there is little to do"
    ),
]


Plugins = Annotated[
    list[str] | None,
    typer.Option("--plugins", metavar="FILE,...", help="Python files or modules of own kinds"),
]


def use_listed_plugins(plugins: Sequence[str] | None) -> list[str]:
    """Register the plug-ins of `--plugins`; returns the words that say so to a next command.

    Raises:
        PluginError: one cannot be imported, or a class in it is wrong.
    """
    from sgt_data.plugins.registered import use_plugins

    names = names_in("--plugins", plugins)
    if names is None:
        return []
    use_plugins(names, "--plugins")
    return ["--plugins", ",".join(names)]


def checked_arguments(arguments: Sequence[str]) -> list[str]:
    """The arguments with a `~/` at the begin of a value written out.

    A shell does so for some of them (`--output ~/x`), and not for others (`--output=~/x`,
    `--set root=~/x`, `"~/x"`).

    Raises:
        RequestError: an argument is empty, as where a variable of a shell is not set.
    """
    for before, argument in zip(["", *arguments], arguments, strict=False):
        name, equals, value = argument.partition("=")
        if not argument or (name.startswith("--") and equals and not value):
            place = name or before
            raise RequestError(
                f"the argument {f'after {place} ' if place else ''}is empty; is a variable of the "
                "shell not set?"
            )
    return [_with_home(argument) for argument in arguments]


def _with_home(argument: str) -> str:
    head, equals, value = argument.rpartition("=~/")
    if argument.startswith("~/") or argument == "~":
        return os.path.expanduser(argument)
    return f"{head}={os.path.expanduser(f'~/{value}')}" if equals else argument


def names_in(option: str, values: Sequence[str] | None) -> list[str] | None:
    """The names that an option lists, each once; None where it is not given.

    All options that take several values may be repeated, and take several separated by commas.

    Args:
        option: its name, for messages.
        values: of its uses.

    Raises:
        RequestError: a name is empty.
    """
    if values is None:
        return None
    names = [name.strip() for value in values for name in value.split(",")]
    if not all(names):
        raise RequestError(f"{option}: found {','.join(values)!r}; a name between commas is empty")
    return list(dict.fromkeys(names))


def numbers_in(option: str, values: Sequence[str] | None) -> list[float] | None:
    """The numbers that an option lists, in the form of `names_in`.

    Raises:
        RequestError: a value is no number.
    """
    numbers = []
    for text in names_in(option, values) or ():
        try:
            numbers.append(float(text))
        except ValueError:
            raise RequestError(f"{option}: found {text!r}, which is no number") from None
    return numbers or None
