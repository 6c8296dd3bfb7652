"""No file that is read is a program: no pickle, no yaml tag, no model's own code, no pipe."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import sgt_data
from sgt_data.annotators import weights
from sgt_data.annotators.depth_anything import DepthAnythingAnnotator
from sgt_data.annotators.weights import find_file
from sgt_data.errors import ManifestError, RequestError
from sgt_data.manifest.manifest import load_manifest

FORBIDDEN_MODULES = {"pickle", "cloudpickle", "dill", "marshal", "shelve", "joblib", "jsonpickle"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}


@cache
def tree(module: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(module.read_text())))


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Place, name and node of every call in the package."""
    for module in sorted(Path(sgt_data.__file__).parent.rglob("*.py")):
        for node in tree(module):
            if isinstance(node, ast.Call):
                yield f"{module.name}:{node.lineno}", dotted(node.func), node


def dotted(node: ast.expr) -> str:
    """`torch.load` of such a function; of others the last name."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def keywords_of(call: ast.Call) -> set[str]:
    return {f"{each.arg}={ast.unparse(each.value)}" for each in call.keywords}


def test_no_call_reads_a_program_from_a_file() -> None:
    for place, name, call in calls():
        assert name not in FORBIDDEN_CALLS, place
        assert not name.startswith("yaml.") or name.startswith("yaml.safe_"), place
        assert name != "np.load", place
        if name == "torch.load":
            assert "weights_only=True" in keywords_of(call), place
        if name.endswith(".from_pretrained"):
            assert "trust_remote_code=False" in keywords_of(call), place


def test_no_module_reads_pickles_and_no_text_opens_a_pipe() -> None:
    for module in sorted(Path(sgt_data.__file__).parent.rglob("*.py")):
        for node in tree(module):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name.split(".")[0] for alias in node.names}
                names |= {(getattr(node, "module", None) or "").split(".")[0]}
                assert not names & FORBIDDEN_MODULES, module
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not node.value.startswith("pipe:"), module


def test_a_yaml_tag_in_a_manifest_makes_nothing(tmp_path: Path) -> None:
    place, mark = tmp_path / "m.yaml", tmp_path / "mark"
    place.write_text(f"name: !!python/object/apply:os.mkdir ['{mark}']\n")
    with pytest.raises(ManifestError, match="tags are not allowed"):
        load_manifest(str(place))
    assert not mark.exists()


def test_the_code_in_a_models_folder_is_not_run_whatever_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, mark = tmp_path / "model", tmp_path / "mark"
    model.mkdir()
    (model / "model.safetensors").write_bytes(b"")
    (model / "own.py").write_text(
        "import os\nfrom transformers import PretrainedConfig\n"
        f"os.mkdir({str(mark)!r})\n"
        "class Own(PretrainedConfig):\n    model_type = 'depth_anything'\n"
    )
    config: dict[str, Any] = {"model_type": "own", "auto_map": {"AutoConfig": "own.Own"}}
    (model / "config.json").write_text(json.dumps(config))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setattr("builtins.input", lambda *prompt: "y")
    with pytest.raises(RequestError, match=r"config\.json"):
        DepthAnythingAnnotator(model=str(model)).find_weights()
    assert not mark.exists()


def test_the_name_of_kept_weights_holds_no_signature(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    fetched: list[str] = []

    def fetch(url: str, path: str) -> None:
        fetched.append(url)
        Path(path).parent.mkdir(parents=True)
        Path(path).write_bytes(b"weights")

    monkeypatch.setattr(weights, "copy_to_file", fetch)
    first = find_file("https://me:SECRET@host/sam.pth?X-Amz-Signature=SECRET", "checkpoint")
    assert find_file("https://host/sam.pth?X-Amz-Signature=SECRET2", "checkpoint") == first
    assert Path(first).name == "sam.pth" and "SECRET" not in first
    assert len(fetched) == 1
