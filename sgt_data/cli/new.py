"""The command that writes a file of own code to begin with: new."""

from __future__ import annotations

import keyword
import re
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from sgt_data.cli.arguments import AsJson
from sgt_data.cli.output import print_next, show
from sgt_data.value_text import cut

ROLES = ("proxy", "source", "annotator", "model")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
_PICTURES = "sgt-data sample samples --images 12"


def new_command(
    role: Annotated[str, typer.Argument(metavar="ROLE", help=f"one of {', '.join(ROLES)}")],
    name: Annotated[str, typer.Argument(help="of the file and the type, such as line_art")],
    as_json: AsJson = False,
) -> int:
    """Write a proxy, source, annotator or model that works. Its test comes with it.

    The files are written into the current folder; none is replaced.
    """
    written = write_new(role, name, Path.cwd())
    show("\n".join(written), {"files": written}, as_json)
    print_next(*_next(role, name))
    return 0


def write_new(role: str, name: str, folder: Path) -> list[str]:
    """Write the files of a role; returns their names.

    Args:
        role: one of `ROLES`.
        name: of the file and of the type.
        folder: where they are written.

    Raises:
        RequestError: the name cannot be one, or a file exists.
    """
    from sgt_data.errors import RequestError
    from sgt_data.files.writing import write_atomic

    _check(role, name)
    words = {
        "CLASS": "".join(part.capitalize() for part in name.split("_")),
        "FOLDER": name.replace("_", "-"),
        "NAME": name,
    }
    texts: dict[str, str] = {}
    for template in files("sgt_data.cli").joinpath("new_files").iterdir():
        if template.name.startswith(f"{role}."):
            text = template.read_text("utf-8")
            for word, value in words.items():
                text = text.replace(word, value)
            texts[_file_name(template.name, name)] = text
    for file in texts:
        if (folder / file).exists():
            raise RequestError(f"{folder / file} exists and is kept; take another name")
    for file, text in sorted(texts.items()):
        write_atomic(str(folder / file), text.encode())
    return sorted(texts)


def _check(role: str, name: str) -> None:
    from sgt_data.annotators.registry import annotator_kinds
    from sgt_data.errors import RequestError
    from sgt_data.proxies.registry import proxy_kinds
    from sgt_data.sources.registry import source_kinds
    from sgt_data.suggestions import did_you_mean

    if role not in ROLES:
        near = did_you_mean(role, ROLES)
        raise RequestError(f"found {cut(role, 40)}; allowed: {', '.join(ROLES)}{near}")
    if not _NAME.fullmatch(name) or name.endswith("_") or keyword.iskeyword(name):
        raise RequestError(
            f"found the name {cut(name, 60)}; it becomes that of a Python file: a-z, 0-9 and _, at "
            "most 31 of them, and a letter first, such as line_art"
        )
    taken = {
        "proxy": proxy_kinds().installed(),
        "source": source_kinds().installed(),
        "annotator": annotator_kinds().installed(),
    }
    if name in taken.get(role, ()):
        raise RequestError(f"{name} is the type of a built-in or installed {role}; take another")
    if find_spec(name) is not None:
        raise RequestError(f"{name} is the name of an installed Python module; take another")


def _file_name(template: str, name: str) -> str:
    _, part, _ = template.split(".")
    return {"py": f"{name}.py", "test": f"test_{name}.py", "bank": f"{name}.txt"}.get(
        part, f"{name}.{part}"
    )


def _next(role: str, name: str) -> list[str]:
    corpus = f"{name}-corpus"
    commands = [
        f"pytest test_{name}.py",
        _PICTURES,
        f"sgt-data build {name}.yaml --output {corpus} --workers 0",
    ]
    if role == "model":
        return [
            *commands,
            f"sgt-data questions {corpus} --output {name}-questions",
            f"sgt-data train {corpus} --questions {name}-questions --proxy panoptic "
            f"--output {name}-run --set model.make={name}.py:make --set steps=40",
        ]
    return [*commands, f"sgt-data preview {corpus} -o {name}.png"]
