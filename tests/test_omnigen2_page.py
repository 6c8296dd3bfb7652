"""The changes of `train.py` that docs/omnigen2.md shows: complete, and nothing else is needed."""

from __future__ import annotations

import ast
import builtins
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from doc_blocks import blocks_of
from trainer_code import checkout_of

PAGE = Path(__file__).parent.parent / "docs/omnigen2.md"
TRAINERS = ("OmniGen2/train.py", "SGT/OmniGen2/train.py")


def hunks_of(trainer: str) -> list[list[str]]:
    """The lines of each hunk of the change of a `train.py`."""
    (text,) = (block.text for block in blocks_of(PAGE) if block.text.startswith(f"--- {trainer}\n"))
    return [hunk.splitlines()[1:] for hunk in text.split("\n@@")[1:]]


def changed(text: str, hunks: Sequence[Sequence[str]]) -> str:
    """A text after a change. Shown lines must be in it exactly; `...` is all up to the next one."""
    lines = text.splitlines()
    for hunk in hunks:
        shown = [line[1:] for line in hunk if not line.startswith("+")]
        assert lines.count(shown[0]) == 1, f"{shown[0]!r}: {lines.count(shown[0])} times"
        first = end = lines.index(shown[0])
        new: list[str] = []
        for line in hunk:
            if line.startswith("+"):
                new.append(line[1:])
                continue
            if shown.pop(0).strip() == "...":
                end = lines.index(shown[0], end)
                continue
            assert lines[end] == line[1:], f"found {lines[end]!r}, expected {line!r}"
            new += [line[1:]] * line.startswith(" ")
            end += 1
        lines[first:end] = new
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("trainer", TRAINERS)
def test_the_changed_train_py_knows_every_name(trainer: str, tmp_path: Path) -> None:
    repository, *folders = trainer.split("/")
    original = checkout_of(repository).joinpath(*folders).read_text()
    file = tmp_path / "train.py"
    file.write_text(changed(original, hunks_of(trainer)))
    compile(file.read_text(), str(file), "exec")
    for gone in ("task_sampler", "OmniGen2TrainDataset(", "DataLoader(", "batch_sampler"):
        assert gone not in file.read_text()
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821,F822,F823"]
    done = subprocess.run([*ruff, str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("trainer", TRAINERS)
def test_what_is_added_takes_of_train_py_only_what_it_has(trainer: str) -> None:
    """Without the code at hand: the names that the added lines use, and where they come from."""
    added = "\n".join(line[1:] for hunk in hunks_of(trainer) for line in hunk if line[0] == "+")
    tree = ast.parse("if True:\n" + "\n".join(f"    {line.strip()}" for line in _joined(added)))
    own = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    for statement in own:
        if (statement.module or "").startswith("sgt_data"):
            exec(compile(ast.Module([statement], []), "train.py", "exec"), {})
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    given = {alias.name for statement in own for alias in statement.names}
    set_here = {
        node.id for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }  # fmt: skip
    known = {
        "accelerator", "args", "partial", "text_tokenizer", "global_step",
        "OmniGen2Collator", "OmniGen2TrainDataset",
    }  # fmt: skip
    assert names - given - set_here - set(dir(builtins)) <= known


def _joined(text: str) -> list[str]:
    """Statements of added lines, each on one line."""
    statements, depth = [""], 0
    for line in text.splitlines():
        statements[-1] += line.strip() + " "
        depth += sum(line.count(sign) for sign in "([{") - sum(line.count(sign) for sign in ")]}")
        if depth == 0:
            statements.append("")
    return [statement for statement in statements if statement]
