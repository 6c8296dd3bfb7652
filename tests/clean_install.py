"""In a clean environment, away from the repository, the wheel works with exactly what it declares.

    python tests/clean_install.py WHEEL                 the base, all at its lower bounds
    python tests/clean_install.py WHEEL --extra train   and with one extra, at the versions of CI

Makes a virtual environment in a temporary folder, installs the wheel with nothing else, imports
every room that belongs to what was installed, and runs the command line there: the demo by the name
of its manifest. Exit code 1 where something is missing. The base imports every room save those
whose libraries an extra brings. `make wheel` builds the wheel.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from argparse import ArgumentParser
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS_OF = {
    "train": ("training", "experiment"), "annotate": (), "gs": (), "hub": (), "s3": (), "scale": (),
    "score": (),
}  # fmt: skip
"""By extra, the rooms that cannot be imported without it."""

IMPORTS = """
import importlib, pkgutil, sys
import sgt_data
left_out = tuple(f"sgt_data.{name}" for name in sys.argv[1:])
modules = [one.name for one in pkgutil.walk_packages(sgt_data.__path__, "sgt_data.",
           onerror=lambda name: None) if not one.name.endswith("__main__")]
modules = [name for name in modules if not name.startswith(left_out)]
for name in modules:
    importlib.import_module(name)
for name, module in sgt_data._MODULE_OF.items():
    if not f"sgt_data.{module}".startswith(left_out):
        getattr(sgt_data, name)
print(f"{len(modules)} modules imported from {sgt_data.__path__[0]}")
"""

LIBRARIES_OF = {
    "annotate": "from sgt_data.annotators.torchvision_operators import *; "
    "provide_torchvision_operators(); "
    "import torch, torchvision, transformers, segment_anything, kornia, safetensors",
    "train": "import torch; torch.optim.Muon; import sgt_data.training.train",
    "hub": "import sgt_data.publish.hub as hub; hub.require_hub()",
    "s3": "import s3fs",
    "gs": "import gcsfs",
    "scale": "import duckdb",
    "score": "import scipy, jinja2; import sgt_data.scoring.score_page",
}

LACKING = {
    ("scale", "demo/corpus", "--where", "segments > 2", "--file", "few.subset.parquet"): "scale",
    ("info", "s3://bucket/corpus"): "s3",
    ("info", "gs://bucket/corpus"): "gs",
    ("push", "demo/corpus", "owner/name"): "hub",
    ("train", "demo/corpus", "--questions", "q", "--output", "run"): "train",
    ("annotate", "demo/sources/coco/train2017", "--output", "masks", "--checkpoint", "sam.pth"):
        "annotate",
}  # fmt: skip
"""Commands that need an extra, and the extra that their messages must name."""


def lowest(requirements: list[str]) -> list[str]:
    """Each requirement at its lower bound; those without one, as they are."""
    return [re.sub(r">=\s*([\w.]+).*", r"==\1", line) for line in requirements]


def started(folder: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """A program run in a folder, without paths of Python that lead to a clone."""
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def run(folder: Path, *command: str | Path) -> str:
    done = started(folder, *command)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command[:4]))} ...\n{done.stdout}\n{done.stderr}")
    return done.stdout.strip()


def install(wheel: Path, extra: str | None, folder: Path) -> Path:
    """Make an environment with the wheel alone; its folder of programs."""
    venv.create(folder / "environment", with_pip=True)
    programs = folder / "environment/bin"
    pip = (programs / "python", "-m", "pip", "install", "--quiet")
    if extra is None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        bounds = folder / "lower-bounds.txt"
        bounds.write_text("\n".join(lowest(project["dependencies"])))
        run(folder, *pip, "--requirement", bounds)
        run(folder, *pip, "--no-deps", wheel)
    else:
        run(folder, *pip, "--constraint", ROOT / "constraints.txt", f"{wheel}[{extra}]")
    return programs


def check_commands(programs: Path, folder: Path) -> None:
    """Run the main commands in a folder of their own."""
    sgt_data = programs / "sgt-data"
    print(run(folder, sgt_data, "--version"))
    assert "Usage" in run(folder, sgt_data, "--help")
    assert "Usage" in run(folder, programs / "python", "-m", "sgt_data", "--help")
    assert "coco-panoptic" in run(folder, sgt_data, "manifests")
    run(folder, sgt_data, "init", "coco-panoptic")
    assert (folder / "coco-panoptic.yaml").is_file()
    run(folder, sgt_data, "sample", "demo/sources", "--images", "4")
    run(folder, sgt_data, "build", "demo", "--output", "demo/corpus", "--workers", "2")
    print(run(folder, sgt_data, "verify", "demo/corpus", "--deep"))
    run(folder, sgt_data, "preview", "demo/corpus", "--output", "demo/contact-sheet.png")


def check_messages(programs: Path, folder: Path) -> None:
    """What needs an extra says how to add it, and does not fail in another way."""
    for command, extra in LACKING.items():
        done = started(folder, programs / "sgt-data", *command)
        hint = f"pip install 'sgt-data[{extra}]'"
        assert done.returncode == 2 and hint in done.stderr, f"{command[0]}: {done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr


def check(wheel: Path, extra: str | None, folder: Path) -> None:
    programs = install(wheel, extra, folder)
    left_out = [room for name, rooms in ROOMS_OF.items() if name != extra for room in rooms]
    imported = run(folder, programs / "python", "-c", IMPORTS, *left_out)
    print(imported)
    assert f"from {folder.resolve() / 'environment'}/" in imported, "that is no wheel"
    if extra is None:
        check_commands(programs, folder)
        check_messages(programs, folder)
    else:
        run(folder, programs / "python", "-c", LIBRARIES_OF[extra])


def main() -> None:
    parser = ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--extra", choices=sorted(ROOMS_OF))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        check(given.wheel.resolve(), given.extra, Path(folder))


if __name__ == "__main__":
    main()
