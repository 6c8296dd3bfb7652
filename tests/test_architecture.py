"""Who may know whom: read from the imports, not from intentions."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import sgt_data

ROOT = Path(sgt_data.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
PURE = ("sources", "segmentation", "pictures", "degradations", "referring", "proxies", "prompts")


def imported(module: Path) -> set[str]:
    """Every module that a file imports, anywhere in it, by full name."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative imports hide where they lead"
            name = node.module or ""
            found |= {name, *(f"{name}.{alias.name}" for alias in node.names)}
    return found


def knows(module: Path, *names: str) -> set[str]:
    """Which of the named packages a file imports."""
    return {
        name
        for name in names
        for one in imported(module)
        if one == name or one.startswith(f"{name}.")
    }


def below(*rooms: str) -> Iterator[Path]:
    for room in rooms:
        found = sorted((ROOT / room).rglob("*.py"))
        assert found, room
        yield from found


def test_only_the_build_knows_ray() -> None:
    inside = set(below("build"))
    assert [module for module in MODULES if module not in inside and knows(module, "ray")] == []
    assert any(knows(module, "ray") for module in inside)


@pytest.mark.parametrize("room", PURE)
def test_what_draws_knows_neither_ray_nor_torch_nor_the_format_nor_the_build(room: str) -> None:
    forbidden = (
        "ray", "torch", "sgt_data.corpus", "sgt_data.engine", "sgt_data.cli", "sgt_data.manifest",
        "pyarrow", "typer", "rich",
    )  # fmt: skip
    for module in below(room):
        assert not knows(module, *forbidden), module


def test_the_format_knows_no_ray_and_no_build() -> None:
    for module in below("corpus"):
        assert not knows(module, "ray", "torch", "sgt_data.engine", "sgt_data.cli"), module


def test_segmentation_and_pictures_know_no_sources_and_no_proxies() -> None:
    for module in below("segmentation", "pictures", "prompts"):
        assert not knows(module, "sgt_data.sources", "sgt_data.proxies"), module


def test_segmentation_is_pure() -> None:
    """No files, no network, no clock."""
    for module in below("segmentation"):
        known = knows(module, "os", "pathlib", "fsspec", "time", "random", "sgt_data.files")
        assert not known, module


MODELS = ("torch", "torchvision", "transformers", "segment_anything", "kornia", "huggingface_hub")


def test_only_annotators_stream_and_experiment_know_torch() -> None:
    inside = {*below("annotators", "stream", "experiment"), ROOT / "publish" / "hub.py"}
    assert [module for module in MODULES if module not in inside and knows(module, *MODELS)] == []
    assert any(knows(module, "torch") for module in inside)


def test_the_stream_knows_no_ray_and_no_build() -> None:
    for module in below("stream"):
        assert not knows(module, "ray", "sgt_data.engine", "sgt_data.cli", "sgt_data.manifest")


def test_the_order_of_a_stream_is_pure() -> None:
    """Order, mixture and schedule: seed and sizes in, places out."""
    for name in ("order", "mixture", "schedule"):
        module = ROOT / "stream" / f"{name}.py"
        allowed = {"sgt_data.seeds", "sgt_data.errors", "sgt_data.stream"}
        ours = {one for one in imported(module) if one.startswith("sgt_data")}
        assert {".".join(one.split(".")[:2]) for one in ours} <= allowed
        assert not knows(module, "os", "fsspec", "torch", "time", "random"), module


def test_what_is_published_needs_no_ray_and_no_torch() -> None:
    for module in below("publish"):
        assert not knows(module, "ray", "sgt_data.engine", "sgt_data.cli", *MODELS[:-1]), module


def test_questions_know_no_ray_no_torch_and_no_build() -> None:
    for module in below("questions"):
        forbidden = (
            "ray",
            "sgt_data.engine",
            "sgt_data.cli",
            "sgt_data.stream",
            "typer",
            "rich",
        )
        assert not knows(module, *forbidden, *MODELS), module


def test_which_questions_are_asked_is_pure() -> None:
    """Facts, candidates and keys in, questions out; reading and writing are two files apart."""
    for module in below("questions"):
        if module.stem not in ("reading", "write"):
            forbidden = ("sgt_data.corpus", "sgt_data.files", "os", "pathlib", "fsspec", "time")
            assert not knows(module, *forbidden), module


def test_annotators_know_no_ray_no_format_and_no_proxies() -> None:
    for module in below("annotators"):
        forbidden = ("ray", "sgt_data.corpus", "sgt_data.engine", "sgt_data.cli",
                     "sgt_data.manifest", "sgt_data.proxies")  # fmt: skip
        assert not knows(module, *forbidden), module


def test_the_base_install_needs_no_torch() -> None:
    """All but the experiments can be imported, a manifest with annotators too, where no model
    library is."""
    experiment = set(below("experiment"))
    others = [_dotted(module) for module in MODULES if module not in experiment]
    code = (
        "import sys, importlib\n"
        f"for name in {MODELS!r}: sys.modules[name] = None\n"
        f"for name in {others!r}: importlib.import_module(name)\n"
        "from sgt_data.manifest import parse_manifest\n"
        "parse_manifest({'name': 'a', 'sources': [{'type': 'folder', 'pictures': '/p'}],\n"
        "  'annotators': [{'type': 'depth_anything', 'name': 'd'}],\n"
        "  'proxies': [{'type': 'depth', 'annotator': 'd'}]})\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def _dotted(module: Path) -> str:
    parts = module.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_nothing_can_execute_what_it_reads() -> None:
    """No pickle in any of its forms, no eval, no shell, no unsafe YAML."""
    modules = ("pickle", "cloudpickle", "dill", "marshal", "shelve", "joblib", "subprocess")
    calls = {"eval", "exec", "compile", "__import__"}
    attributes = {"system", "popen", "unsafe_load", "full_load", "load_all", "allow_pickle"}
    for module in MODULES:
        assert not knows(module, *modules), module
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", "")
                assert name not in calls, (module, node.lineno)
                assert getattr(node.func, "attr", "") not in attributes, (module, node.lineno)
                for keyword in node.keywords:
                    assert keyword.arg != "allow_pickle", (module, node.lineno)
            if isinstance(node, ast.Attribute) and node.attr == "load":
                assert getattr(node.value, "id", "") != "yaml", (module, node.lineno)


def test_no_seedless_chance() -> None:
    """Every random choice comes from a named seed, and none from the clock."""
    for module in MODULES:
        assert not knows(module, "random", "secrets"), module
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "default_rng":
                assert node.args, (module, node.lineno)


@pytest.mark.parametrize(
    "module",
    ["sgt_data", "sgt_data.engine.build", "sgt_data.manifest", "sgt_data.corpus.receipt"],
)
def test_importing_does_not_start_to_load_ray_or_torch(module: str) -> None:
    code = (
        f"import sys, {module}; "
        "print([name for name in ('ray', 'torch', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
