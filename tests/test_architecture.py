"""Who may know whom, how wide functions are, and what each room says of itself.

Everything is read from the source files, not from intentions.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

import sgt_data

ROOT = Path(sgt_data.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))

KNOWN_TO_ALL = frozenset(
    {"bounded_json", "checks", "compiled", "errors", "event_log", "extras", "facts",
     "field_errors", "field_unions",
     "field_words", "foreign_errors", "machine_code", "machine_code_folders",
     "machine_code_stamp", "names", "notebook_html", "overrides", "plugins", "progress",
     "progress_display", "progress_events", "progress_text", "records", "redaction", "result",
     "seeds", "shipped_manifests", "suggestions", "value_text", "yaml_text"}
)  # fmt: skip
"""Files at the top of the package that every room may import. They import no room, save that
`records` describes masks by `segmentation`'s run lengths."""

DRAWING = frozenset(
    {"pictures", "segmentation", "degradations", "geometry", "legends", "referring", "prompts",
     "proxies"}
)  # fmt: skip

MAY_KNOW: Mapping[str, frozenset[str]] = {
    "files": frozenset(),
    "pictures": frozenset(),
    "segmentation": frozenset({"pictures"}),
    "degradations": frozenset({"pictures"}),
    "referring": frozenset(),
    "prompts": frozenset(),
    "legends": frozenset({"pictures", "segmentation", "referring", "prompts"}),
    "geometry": frozenset({"pictures", "segmentation"}),
    "scenes": frozenset({"files", "pictures"}),
    "sources": frozenset({"files", "pictures", "segmentation"}),
    "proxies": DRAWING,
    "annotators": frozenset({"files", "pictures", "segmentation", "sources"}),
    "manifest": frozenset({"files", "pictures", "prompts", "sources", "annotators", "proxies"}),
    "corpus": frozenset({"files", "pictures", "prompts"}),
    "subsets": frozenset({"files", "corpus", "engine"}),
    "verify": frozenset({"files", "corpus", "subsets", "proxies", "prompts"}),
    "preview": frozenset({"files", "pictures", "corpus", "subsets", "proxies"}),
    "engine": frozenset(
        {"files", "pictures", "segmentation", "prompts", "sources", "annotators", "proxies",
         "manifest", "corpus"}
    ),
    "stream": frozenset({"files", "pictures", "prompts", "corpus", "subsets"}),
    "trainers": frozenset({"files", "pictures", "corpus", "subsets", "stream"}),
    "exports": frozenset({"files", "pictures", "corpus", "subsets", "stream", "trainers"}),
    "questions": frozenset({"files", "corpus", "subsets", "proxies", "referring"}),
    "training": frozenset({"files", "pictures", "corpus", "subsets", "stream", "annotators"}),
    "scoring": frozenset(
        {"files", "pictures", "segmentation", "geometry", "proxies", "corpus", "subsets"}
    ),
    "experiment.plan": frozenset({"files", "training"}),
    "experiment.measure": frozenset(
        {"files", "pictures", "corpus", "subsets", "proxies", "stream", "training",
         "experiment.plan", "segmentation", "scoring"}
    ),
    "experiment.report": frozenset(
        {"files", "experiment.plan", "experiment.measure", "scoring"}
    ),
    "experiment": frozenset(
        {"files", "corpus", "subsets", "stream", "questions", "training", "experiment.plan",
         "experiment.measure", "experiment.report"}
    ),
    "publish": frozenset(
        {"files", "corpus", "subsets", "sources", "annotators", "proxies", "manifest", "engine"}
    ),
    "reference": frozenset(
        {"pictures", "segmentation", "prompts", "scenes", "sources", "annotators", "proxies",
         "manifest", "corpus", "subsets", "engine", "preview", "training", "experiment.plan"}
    ),
    "view": frozenset(
        {"files", "pictures", "geometry", "corpus", "subsets", "proxies", "exports"}
    ),
    "doctor": frozenset(
        {"files", "pictures", "segmentation", "annotators", "corpus", "engine", "manifest",
         "scenes", "scoring", "stream", "subsets", "verify"}
    ),
}  # fmt: skip
"""By room, the other rooms that it may import. `cli` may import all, and no room imports `cli`."""

LIBRARIES: Mapping[str, frozenset[str]] = {
    "ray": frozenset({"engine"}),
    "torch": frozenset(
        {"annotators", "stream", "trainers", "training", "experiment", "experiment.measure",
         "experiment.report", "doctor"}
    ),
    "torchvision": frozenset({"annotators"}),
    "transformers": frozenset({"annotators", "training"}),
    "tokenizers": frozenset({"training"}),
    "segment_anything": frozenset({"annotators"}),
    "kornia": frozenset({"annotators"}),
    "huggingface_hub": frozenset({"annotators", "publish", "doctor"}),
    "matplotlib": frozenset({"experiment.report"}),
    "sklearn": frozenset({"experiment.measure"}),
    "scipy": frozenset({"experiment.measure", "experiment.report", "scoring"}),
    "duckdb": frozenset({"subsets"}),
    "aiohttp": frozenset({"files", "view"}),
    "typer": frozenset({"cli"}),
    "rich": frozenset({"cli", "progress_display"}),
}  # fmt: skip
"""By library, the rooms that may import it."""

WIDTH_PUBLIC, WIDTH_PRIVATE = 8, 6
"""The most parameters that a function may have, `self` not counted."""

WIDE = {
    "trainers/bagel.py:BagelDataset.__init__": "BAGEL's own loader calls it with these arguments",
    "trainers/bagel_conversations.py:BagelConversations.__init__": "so does it with this one",
}
"""Functions whose parameters are somebody else's; commands of the command line, whose parameters
are its options, are left out as a whole."""


@cache
def tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text())


def imported(module: Path) -> set[str]:
    """Every module that a file imports, anywhere in it, by full name."""
    names = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative imports hide where they lead"
            name = node.module or ""
            names |= {name, *(f"{name}.{alias.name}" for alias in node.names)}
    return names


def knows(module: Path, *names: str) -> set[str]:
    """Which of the named packages a file imports."""
    return {
        name
        for name in names
        for other in imported(module)
        if other == name or other.startswith(f"{name}.")
    }


def below(*rooms: str) -> Iterator[Path]:
    for room in rooms:
        modules = sorted((ROOT / room).rglob("*.py"))
        assert modules, room
        yield from modules


def dotted(module: Path) -> str:
    parts = module.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(name: str) -> str:
    """The room of a module of the package, given by its full name."""
    parts = name.split(".")[1:]
    if parts[:1] == ["experiment"] and parts[1:2] in (["plan"], ["measure"], ["report"]):
        return ".".join(parts[:2])
    return parts[0] if parts else ""


NAMES = {dotted(module): module for module in MODULES}


def our_imports(module: Path) -> set[str]:
    """The modules of the package that a file imports, by full name."""
    names = set()
    for name in imported(module):
        if name in NAMES:
            names.add(name)
        elif name.rpartition(".")[0] in NAMES:
            names.add(name.rpartition(".")[0])
    # `from sgt_data.corpus import header` names the package as well
    return {name for name in names if not any(other.startswith(f"{name}.") for other in names)}


# --- rooms


@pytest.mark.parametrize("room", sorted(MAY_KNOW))
def test_a_room_imports_only_the_rooms_that_it_may_know(room: str) -> None:
    allowed = MAY_KNOW[room] | KNOWN_TO_ALL | {room}
    modules = [module for name, module in NAMES.items() if room_of(name) == room]
    assert modules, f"there is no room {room}"
    for module in modules:
        for name in sorted(our_imports(module)):
            assert room_of(name) in allowed, f"{dotted(module)} imports {name}"


def test_every_room_is_in_the_table() -> None:
    rooms = {room_of(name) for name in NAMES} - KNOWN_TO_ALL
    assert rooms == {*MAY_KNOW, "cli", "__main__", ""}


def test_what_all_may_know_imports_no_room() -> None:
    for name, module in NAMES.items():
        if room_of(name) in KNOWN_TO_ALL - {"records"}:
            assert {room_of(other) for other in our_imports(module)} <= KNOWN_TO_ALL, name
    assert {room_of(name) for name in our_imports(ROOT / "records.py")} <= {
        *KNOWN_TO_ALL, "segmentation",
    }  # fmt: skip


def test_only_engine_in_subsets_is_for_copies() -> None:
    users = [module for module in below("subsets") if knows(module, "sgt_data.engine")]
    assert {module.stem for module in users} <= {"copy_subset", "subset", "subset_report"}


def test_training_knows_annotators_and_their_libraries_for_llava_alone() -> None:
    """The extra `train` alone trains all other models."""
    for module in below("training"):
        if knows(module, "sgt_data.annotators", "transformers", "tokenizers"):
            assert module.stem == "llava_model"


def test_no_modules_import_each_other_in_a_circle() -> None:
    imports = {name: our_imports(module) for name, module in NAMES.items()}
    assert _circles(imports) == []


def test_no_rooms_know_each_other_in_a_circle() -> None:
    rooms: dict[str, set[str]] = {}
    for name, module in NAMES.items():
        own = room_of(name)
        rooms.setdefault(own, set()).update(room_of(other) for other in our_imports(module))
    assert _circles({room: others - {room} for room, others in rooms.items()}) == []


def _circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Members of circles: what is left when all are removed that import, or are imported by,
    nothing that is left."""
    left = {name: set(others) for name, others in graph.items()}
    while True:
        imported_ones = {other for others in left.values() for other in others}
        ends = {name for name, others in left.items() if not others & left.keys()} | (
            left.keys() - imported_ones
        )
        if not ends:
            return [sorted(left)] if left else []
        left = {name: others - ends for name, others in left.items() if name not in ends}


HEAVY = frozenset(
    {"sgt_data.engine.ray_engine", "sgt_data.engine.ray_graph", "sgt_data.engine.ray_tasks",
     "sgt_data.engine.node_facts", "sgt_data.annotators.device",
     "sgt_data.annotators.torchvision_operators", "sgt_data.stream.stream"}
)  # fmt: skip
"""Modules that import Ray or torch, and are therefore imported where they are needed."""


def test_no_import_is_hidden_in_a_function() -> None:
    """Only what loads Ray or torch is imported late; the command line imports each verb late, and
    the package itself imports everything late (tests/test_start.py)."""
    for name, module in NAMES.items():
        if room_of(name) in ("cli", "__main__") or name == "sgt_data":
            continue
        top = {id(node) for node in tree(module).body}
        for node in ast.walk(tree(module)):
            if not isinstance(node, ast.ImportFrom) or id(node) in top:
                continue
            if (node.module or "").startswith("sgt_data") and not _for_types(module, node):
                assert node.module in HEAVY, f"{name}:{node.lineno} imports {node.module} late"


def _for_types(module: Path, node: ast.ImportFrom) -> bool:
    """Whether an import stands below `if TYPE_CHECKING`."""
    return any(
        isinstance(block, ast.If)
        and getattr(block.test, "id", "") == "TYPE_CHECKING"
        and node in block.body
        for block in tree(module).body
    )


def test_every_room_says_what_it_holds_and_whom_it_may_know() -> None:
    rooms = [module for module in MODULES if module.name == "__init__.py"]
    for module in rooms:
        text = ast.get_docstring(tree(module))
        assert text, f"{module} has no docstring"
        assert text.splitlines()[0].endswith((".", ":")), f"{module}: the first line is no sentence"
        if module.parent != ROOT:
            assert re.search(r"(?i)\b(knows?|pure|imports?)\b", text), f"{module}: whom?"


# --- libraries


@pytest.mark.parametrize("library", sorted(LIBRARIES))
def test_a_library_is_imported_only_in_its_rooms(library: str) -> None:
    rooms = {room_of(dotted(module)) for module in MODULES if knows(module, library)}
    assert rooms <= LIBRARIES[library], library


def test_the_stream_knows_torch_only_where_it_meets_the_dataloader() -> None:
    for name in ("order", "mixture", "schedule", "options", "mixture_components", "instructions"):
        assert not knows(ROOT / "stream" / f"{name}.py", "torch"), name


def test_segmentation_is_pure() -> None:
    """No files, no network, no clock."""
    for module in below("segmentation"):
        assert not knows(module, "os", "pathlib", "fsspec", "time", "random"), module


def test_the_order_of_a_stream_is_pure() -> None:
    """Order, mixture and schedule: seed and sizes in, places out."""
    for name in ("order", "mixture", "pattern", "schedule"):
        module = ROOT / "stream" / f"{name}.py"
        shared = ("seeds", "errors", "suggestions", "value_text", "stream")
        allowed = {f"sgt_data.{module_name}" for module_name in shared}
        ours = {other for other in imported(module) if other.startswith("sgt_data")}
        assert {".".join(other.split(".")[:2]) for other in ours} <= allowed
        assert not knows(module, "os", "fsspec", "torch", "time", "random"), module


def test_which_questions_are_asked_is_pure() -> None:
    """Facts, candidates and keys in, questions out; reading and writing are files apart."""
    for module in below("questions"):
        if not module.stem.startswith(("read_", "write_", "match_")):
            forbidden = ("sgt_data.corpus", "sgt_data.files", "os", "pathlib", "fsspec", "time")
            assert not knows(module, *forbidden), module


DISTRIBUTIONS = {
    "PIL": "pillow", "cv2": "opencv-python-headless", "yaml": "pyyaml", "sklearn": "scikit-learn",
    "huggingface_hub": "huggingface-hub", "segment_anything": "segment-anything",
    "pydantic_core": "pydantic",
}  # fmt: skip
"""Names of distributions that differ from those of their modules."""


def test_every_library_is_declared() -> None:
    """In the base, or in the extra of the rooms that import it."""
    project = tomllib.loads((ROOT.parent / "pyproject.toml").read_text())["project"]
    base = _names(project["dependencies"])
    extras = {name: _names(lines) for name, lines in project["optional-dependencies"].items()}
    of_room = {
        "annotators": extras["annotate"], "training": extras["train"] | extras["annotate"],
        "experiment": extras["train"], "experiment.measure": extras["train"],
        "experiment.report": extras["train"], "publish": extras["hub"],
        "scoring": extras["score"],
        "stream": {"torch"}, "trainers": {"torch"}, "subsets": extras["scale"],
        "doctor": {"torch", "huggingface-hub"},
    }  # fmt: skip
    for name, module in NAMES.items():
        tops = {other.partition(".")[0] for other in imported(module)} - {"sgt_data", "__future__"}
        for top in sorted(tops - sys.stdlib_module_names):
            needed = DISTRIBUTIONS.get(top, top)
            assert needed in base | of_room.get(room_of(name), set()), f"{name} imports {top}"


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=\[; ]", line)[0].lower() for line in requirements}


MODELS = ("torch", "torchvision", "transformers", "segment_anything", "kornia", "huggingface_hub")


def test_the_base_install_needs_no_torch() -> None:
    """All but the trainer and the experiments can be imported, a manifest with annotators too,
    where no model library is."""
    with_torch = {*below("experiment", "training")}
    others = [dotted(module) for module in MODULES if module not in with_torch]
    others.remove("sgt_data.__main__")
    code = (
        "import sys, importlib\n"
        f"for name in {MODELS!r}: sys.modules[name] = None\n"
        f"for name in {others!r}: importlib.import_module(name)\n"
        "from sgt_data.manifest.manifest import parse_manifest\n"
        "parse_manifest({'name': 'a', 'sources': [{'type': 'folder', 'pictures': '/p'}],\n"
        "  'annotators': [{'type': 'depth_anything', 'name': 'd'}],\n"
        "  'proxies': [{'type': 'depth', 'annotator': 'd'}]})\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


# --- functions


def functions() -> Iterator[tuple[str, str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function: its place, its name with that of its class, and the node."""

    def inside(node: ast.AST, outer: str) -> Iterator[tuple[str, ast.FunctionDef]]:
        for child in ast.iter_child_nodes(node):
            name = f"{outer}.{getattr(child, 'name', '')}".lstrip(".")
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield name, child  # type: ignore[misc]
                yield from inside(child, name)
            elif isinstance(child, ast.ClassDef):
                yield from inside(child, name)
            else:
                yield from inside(child, outer)

    for module in MODULES:
        place = str(module.relative_to(ROOT))
        for name, node in inside(tree(module), ""):
            yield place, name, node


def test_functions_take_few_parameters() -> None:
    """At most eight in public, six in private; commands' options are no parameters of an API."""
    too_wide = []
    for place, name, node in functions():
        if place.startswith("cli/") or f"{place}:{name}" in WIDE:
            continue
        arguments = node.args
        names = [
            argument.arg
            for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
            if argument.arg not in ("self", "cls")
        ]
        hidden = any(part.startswith("_") and not part.startswith("__") for part in name.split("."))
        if len(names) > (WIDTH_PRIVATE if hidden else WIDTH_PUBLIC):
            too_wide.append(f"{place}:{node.lineno} {name} takes {len(names)}: {names}")
    assert not too_wide, "\n".join(too_wide)


VAGUE = frozenset({"one", "found", "said", "there", "here", "tmp"})


def test_names_say_what_a_thing_is() -> None:
    """No variable and no parameter has a name that could mean anything."""
    vague = [
        f"{module.relative_to(ROOT)}:{node.lineno} {name}"
        for module in MODULES
        for node in ast.walk(tree(module))
        if (name := getattr(node, "id", None) or getattr(node, "arg", None)) in VAGUE
    ]
    assert not vague, "\n".join(vague)


def test_every_docstring_begins_with_a_line_that_stands_alone() -> None:
    """No docstring consists of its errors, and the first line is not about another text."""
    wrong = []
    for place, name, node in functions():
        text = ast.get_docstring(node)
        if text is None:
            continue
        first = text.splitlines()[0]
        documents_init = name.endswith("__init__") and first.startswith(("Args:", "Raises:"))
        if first.startswith("Raises:") or (first.startswith("Args:") and not documents_init):
            if not documents_init:
                wrong.append(f"{place}:{node.lineno} {name}: {first}")
        elif re.match(r"(The same|As above|See |As `)", first):
            wrong.append(f"{place}:{node.lineno} {name}: {first}")
    assert not wrong, "\n".join(wrong)


# --- laws


def test_nothing_can_execute_what_it_reads() -> None:
    """No pickle in any of its forms, no eval, no shell, no unsafe YAML."""
    modules = ("pickle", "cloudpickle", "dill", "marshal", "shelve", "joblib", "subprocess")
    calls = {"eval", "exec", "compile", "__import__"}
    attributes = {"system", "popen", "unsafe_load", "full_load", "load_all", "allow_pickle"}
    starts = ROOT / "subsets" / "bounded_condition.py"  # this package's own module, bounded
    for module in MODULES:
        assert knows(module, *modules) <= ({"subprocess"} if module == starts else set()), module
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", "")
                assert name not in calls, (module, node.lineno)
                assert getattr(node.func, "attr", "") not in attributes, (module, node.lineno)
                for keyword in node.keywords:
                    assert keyword.arg != "allow_pickle", (module, node.lineno)
            if isinstance(node, ast.Attribute) and node.attr == "load":
                assert getattr(node.value, "id", "") != "yaml", (module, node.lineno)


IMPORTING = frozenset({"plugins", "progress_display", "training.own_models", ""})
"""Rooms that import a module by a text: what a notebook has, or what a person names for this
run, never what a corpus names."""


def test_only_plugins_import_what_is_named_elsewhere() -> None:
    for name, module in NAMES.items():
        if name != "sgt_data" and knows(module, "importlib.import_module", "importlib.abc"):
            assert room_of(name) in IMPORTING or name.removeprefix("sgt_data.") in IMPORTING, name
    readers = ("corpus", "stream", "verify", "subsets", "publish", "preview", "questions")
    for module in below(*readers):
        assert not knows(module, "sgt_data.plugins.registered"), f"{module} imports plug-ins"


def test_no_seedless_chance() -> None:
    """Every random choice comes from a named seed, and none from the clock."""
    for module in MODULES:
        assert not knows(module, "random", "secrets"), module
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "default_rng":
                assert node.args, (module, node.lineno)


@pytest.mark.parametrize(
    "module",
    ["sgt_data", "sgt_data.engine.build", "sgt_data.manifest.manifest", "sgt_data.corpus.receipt"],
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
