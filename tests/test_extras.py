"""Where a library is not installed, the message names the extra that brings it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pyarrow as pa
import pytest

import sgt_data
from sgt_data.errors import RequestError
from sgt_data.extras import EXTRA_OF_LIBRARY, EXTRA_OF_PROTOCOL, install_hint, library_missing
from sgt_data.files.urls import open_filesystem
from sgt_data.subsets.where import Condition

ROOT = Path(sgt_data.__file__).parent
DISTRIBUTIONS = {
    "sklearn": "scikit-learn", "segment_anything": "segment-anything",
    "huggingface_hub": "huggingface-hub",
}  # fmt: skip


def test_each_library_is_in_the_extra_that_is_named_for_it() -> None:
    project = tomllib.loads((ROOT.parent / "pyproject.toml").read_text())["project"]
    extras = {
        name: {re.split(r"[<>=\[; ]", line)[0] for line in lines}
        for name, lines in project["optional-dependencies"].items()
    }
    for library, extra in EXTRA_OF_LIBRARY.items():
        assert DISTRIBUTIONS.get(library, library) in extras[extra], library
    assert set(EXTRA_OF_PROTOCOL.values()) <= extras.keys()
    every = {line for name, lines in extras.items() if name != "dev" for line in lines}
    known = {DISTRIBUTIONS.get(library, library) for library in EXTRA_OF_LIBRARY}
    assert every - known == {"markupsafe"}, "which extra brings it?"


def test_one_function_makes_all_hints() -> None:
    texts = {module: module.read_text() for module in ROOT.rglob("*.py")}
    assert [module.name for module, text in texts.items() if "pip install" in text] == ["extras.py"]


@pytest.mark.parametrize("protocol", ["s3", "gs", "hf"])
def test_a_url_whose_backend_is_missing_names_the_extra(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = EXTRA_OF_PROTOCOL[protocol]
    backend = {"s3": "s3fs", "gs": "gcsfs", "hf": "huggingface_hub"}[protocol]
    loaded = import_module("fsspec.registry")._registry
    monkeypatch.delitem(loaded, protocol, raising=False)
    monkeypatch.setitem(sys.modules, backend, None)
    with pytest.raises(RequestError) as refused:
        open_filesystem(f"{protocol}://bucket/file")
    assert str(refused.value).endswith(f": {install_hint(extra)}")


def test_an_expression_without_its_database_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(RequestError, match=r"needs duckdb.*pip install 'sgt-data\[scale\]'"):
        Condition("true", pa.table({"key": ["a"]}).schema)


def test_a_command_that_needs_a_missing_library_is_a_wrong_request(tmp_path: Path) -> None:
    arguments = ["train", str(tmp_path), "--questions", "q", "--output", "run"]
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "from sgt_data.cli.app import main\n"
        f"main({arguments!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.endswith(
        "this needs torch, which is not installed: pip install 'sgt-data[train]'\n"
    )


def test_an_import_that_no_extra_mends_is_no_request() -> None:
    assert library_missing(ImportError("broken", name="sgt_data.nothing")) is None
    assert library_missing(ImportError("broken")) is None


WITHOUT_TORCH = """
import inspect, pydoc, sys
sys.modules["torch"] = None
import sgt_data

assert dict(inspect.getmembers(sgt_data))["Stream"] is sgt_data.Stream
assert "open_corpus" in pydoc.render_doc(sgt_data)
from sgt_data import *

assert build_corpus is sgt_data.build_corpus
for name in sorted(sgt_data._MODULE_OF.keys() - set(sgt_data.__all__)):
    try:
        getattr(sgt_data, name)
    except sgt_data.RequestError as why:
        print(name, why)
try:
    from sgt_data import train
except ImportError as why:
    print("import", why)
"""


def test_without_torch_the_package_can_be_looked_at_and_says_what_training_needs() -> None:
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True, check=False
    )
    needs = f"this needs torch, which is not installed: {install_hint('train')}"
    names = ("Trained", "run_experiment", "train", "import")
    assert run.stdout.splitlines() == [f"{name} {needs}" for name in names], run.stderr
