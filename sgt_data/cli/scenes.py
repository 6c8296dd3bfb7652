"""The command that draws sample sources: sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from sgt_data.cli.arguments import AsJson, names_in
from sgt_data.cli.output import command_text, print_next, show
from sgt_data.cli.progress_bar import ProgressBar
from sgt_data.value_text import counted

if TYPE_CHECKING:
    from sgt_data.scenes.write_samples import SampleSummary

_DEMO = PurePosixPath("demo/sources")
"""The folder that the manifest `demo` reads."""


def sample_command(
    directory: Annotated[str, typer.Argument(metavar="DIR", help="folder to write")],
    images: Annotated[int, typer.Option(min=1, help="number of pictures in each format")] = 64,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    width: Annotated[int, typer.Option(min=16, help="pixels")] = 640,
    height: Annotated[int, typer.Option(min=16, help="pixels")] = 480,
    scenes: Annotated[
        str,
        typer.Option(help="varied; or simple: for small models, 2 to 7 things in plain colours"),
    ] = "varied",
    forms: Annotated[
        list[str] | None,
        typer.Option(
            "--form", metavar="FORM,...", help="sa1b, coco: by commas or repeated; default: both"
        ),
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="pictures drawn at a time; default: one per CPU, where it pays"),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Draw sample scenes, in SA-1B's and COCO's own formats."""
    from sgt_data.scenes.sample_identity import FORMS, SampleIdentity, chosen_forms
    from sgt_data.scenes.write_samples import PICTURES_PER_TAR, draw_sample

    named = chosen_forms(scenes, names_in("--form", forms) or FORMS)
    sample = SampleIdentity(images, seed, width, height, PICTURES_PER_TAR, scenes, named)  # type: ignore[arg-type]
    with ProgressBar("pictures") as bar:
        summary = draw_sample(directory, sample, processes=processes, progress=bar)
    show(_summary_text(summary), asdict(summary), as_json)
    print_next(_build_of(directory, summary.forms))
    return 0


def _build_of(directory: str, forms: Sequence[str]) -> str:
    """The command that builds every proxy of the scenes."""
    folder = PurePosixPath(directory)
    output = ("--output", str(folder.parent / "corpus"))
    if set(forms) == {"coco"}:
        root = f"sources.coco.root={folder}/coco"
        return command_text("build", "coco-panoptic", *output, "--set", root)
    if set(forms) == {"sa1b"}:
        tars = f"sources.sa1b.tars={folder}/sa1b/sa_*.tar"
        return command_text("build", "sa1b-proxies", *output, "--set", tars)
    if folder == _DEMO:
        return command_text("build", "demo", *output)
    places = {
        "sa1b.tars": "sa1b/sa_*.tar", "sa1b.depth": "depth", "sa1b.normals": "normals",
        "sa1b.intrinsics": "intrinsics.json", "coco.root": "coco", "coco.depth": "depth",
        "coco.normals": "normals", "coco.intrinsics": "intrinsics.json",
    }  # fmt: skip
    sets = [f"sources.{field}={folder}/{place}" for field, place in places.items()]
    words = [word for change in sets for word in ("--set", change)]
    return command_text("build", "demo", *output, *words)


def _summary_text(summary: SampleSummary) -> str:
    contents = {
        "sa1b": f"{counted(summary.images, 'picture')} in SA-1B's format "
        f"({counted(summary.masks, 'mask')})",
        "coco": f"{counted(summary.images, 'picture')} in COCO's format "
        f"({counted(summary.instances, 'instance')}, {counted(summary.segments, 'segment')}, "
        f"{counted(summary.captions, 'caption')})",
    }
    return f"{summary.directory}: {', '.join(contents[form] for form in summary.forms)}"
