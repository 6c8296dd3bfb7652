"""In a clean environment the package works with exactly what it declares.

    python tests/clean_install.py                 the base, every dependency at its lower bound
    python tests/clean_install.py --extra train   and with one extra, at the versions of CI

Makes a virtual environment in a temporary folder, installs a copy of the package with nothing else,
imports every room that belongs to what was installed, and runs the command line. Exit code 1 where
something is missing. The base imports every room save those whose libraries an extra brings.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import venv
from argparse import ArgumentParser
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS_OF = {"train": ("training", "experiment"), "hub": (), "annotate": (), "s3": (), "gs": ()}
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
print(f"{len(modules)} modules imported")
"""

LIBRARIES_OF = {
    "annotate": "from sgt_data.annotators.torchvision_operators import *; "
    "provide_torchvision_operators(); "
    "import torch, torchvision, transformers, segment_anything, kornia, safetensors",
    "train": "import torch; torch.optim.Muon; import sgt_data.training.train",
    "hub": "import sgt_data.publish.hub as hub; hub.require_hub()",
    "s3": "import s3fs",
    "gs": "import gcsfs",
}


def lowest(requirements: list[str]) -> list[str]:
    """Each requirement at its lower bound; those without one, as they are."""
    return [re.sub(r">=\s*([\w.]+).*", r"==\1", line) for line in requirements]


def run(*command: str | Path) -> str:
    done = subprocess.run(command, cwd="/", capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command[:4]))} ...\n{done.stdout}\n{done.stderr}")
    return done.stdout.strip()


def copy_of_package(folder: Path) -> Path:
    """A copy of what a wheel is built from: without what earlier wheels left in `build`."""
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(
        ROOT / "sgt_data", folder / "sgt_data", ignore=shutil.ignore_patterns("__pycache__")
    )
    return folder


def check(extra: str | None, folder: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    venv.create(folder, with_pip=True)
    package = folder / "package"
    package.mkdir()
    copy_of_package(package)
    python = folder / "bin/python"
    pip = (python, "-m", "pip", "install", "--quiet")
    if extra is None:
        bounds = folder / "lower-bounds.txt"
        bounds.write_text("\n".join(lowest(project["dependencies"])))
        run(*pip, "--requirement", bounds)
        run(*pip, "--no-deps", package)
    else:
        run(*pip, "--constraint", ROOT / "constraints.txt", f"{package}[{extra}]")
    left_out = [room for name, rooms in ROOMS_OF.items() if name != extra for room in rooms]
    print(run(python, "-c", IMPORTS, *left_out))
    if extra is not None:
        run(python, "-c", LIBRARIES_OF[extra])
    print(run(folder / "bin/sgt-data", "--version"))
    assert "Usage" in run(folder / "bin/sgt-data", "--help")
    assert "Usage" in run(python, "-m", "sgt_data", "--help")
    samples = folder / "samples"
    run(folder / "bin/sgt-data", "sample", samples, "--images", "2", "--form", "coco")
    manifest = ROOT / "manifests/coco-panoptic.yaml"
    corpus, settings = folder / "corpus", ("--set", f"sources.coco.root={samples}/coco")
    build = ("build", manifest, "--output", corpus, "--workers", "0", *settings)
    run(folder / "bin/sgt-data", *build)
    print(run(folder / "bin/sgt-data", "verify", corpus, "--deep"))


def main() -> None:
    parser = ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--extra", choices=sorted(ROOMS_OF))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        check(given.extra, Path(folder))


if __name__ == "__main__":
    main()
