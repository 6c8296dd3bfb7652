"""`import sgt_data` and every `--help` start at once: they import few packages, none that is large.

No time is asserted. Where a package is imported that should not be, the message names it, what
imported it, and what that costs, as `python -X importtime` counts it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass

from sgt_data.cli.app import COMMANDS

OF_THE_COMMAND_LINE = frozenset(
    {"annotated_doc", "annotated_types", "click", "markdown_it", "mdurl", "orjson", "pydantic",
     "pydantic_core", "pygments", "rich", "shellingham", "typer", "typing_extensions",
     "typing_inspection"}
)  # fmt: skip
"""What may be imported to show a help: typer, rich and what these need; and our JSON."""

_LINE = re.compile(r"import time:\s*(\d+) \|\s*(\d+) \|( *)(\S+)$")

_REPORT = """
import json, site, sys, sysconfig
outside = {sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"]}
tops = {name.partition(".")[0] for name in sys.modules.keys() - before}
packages = sorted(
    name for name in tops - sys.stdlib_module_names - {"sgt_data", "__main__"}
    if not name.startswith(("_", "sitecustomize"))
)
print("\\n" + json.dumps(packages))
"""


@dataclass(frozen=True, slots=True)
class Import:
    """An import as `-X importtime` counts it: microseconds, without and with what it imports."""

    name: str
    own: int
    total: int
    importers: tuple[str, ...]

    def __str__(self) -> str:
        chain = " <- ".join((self.name, *self.importers))
        return f"{self.total / 1000:8.1f} ms, {self.own / 1000:6.1f} ms its own: {chain}"


def imports_in(text: str) -> list[Import]:
    """The imports of a report of `-X importtime`, each with the modules that led to it."""
    imports, above = list[Import](), list[str]()
    for line in reversed(text.splitlines()):  # a module's line comes after those of what it imports
        if match := _LINE.match(line):
            own, total, indent, name = match.groups()
            depth = len(indent) // 2
            above = above[:depth]
            imports.append(Import(name, int(own), int(total), tuple(reversed(above))))
            above.append(name)
    return imports


def culprits(packages: list[str], imports: list[Import]) -> str:
    """By package: the import that brought it, and what led to it; then the most costly imports."""
    first = {package: [each for each in imports if each.name == package] for package in packages}
    lines = [f"{package}:\n{each}" for package, brought in first.items() for each in brought[-1:]]
    costly = sorted(imports, key=lambda each: -each.own)[:10]
    return "\n".join([*lines, "the most costly of all:", *map(str, costly)])


def started(code: str) -> tuple[list[str], list[Import]]:
    """Packages that a piece of Python imports beyond Python's own, and all its imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", f"import sys\nbefore = set(sys.modules)\n{code}"
         + _REPORT],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    packages: list[str] = json.loads(done.stdout.splitlines()[-1])
    return packages, imports_in(done.stderr)


def test_to_import_the_package_imports_no_other() -> None:
    packages, imports = started("import sgt_data")
    assert not packages, culprits(packages, imports)
    ours = [each.name for each in imports if each.name.startswith("sgt_data")]
    assert ours == ["sgt_data"], "sgt_data/__init__.py imports a module of the package by itself"


def test_every_help_imports_the_command_line_alone() -> None:
    helps = [["--help"], ["--version"], *([command, "--help"] for command in COMMANDS)]
    code = (
        "from sgt_data.cli.app import main\n"
        f"for arguments in {helps!r}:\n"
        "    try: main(arguments)\n"
        "    except SystemExit as ended: assert not ended.code, arguments\n"
    )
    packages, imports = started(code)
    excess = sorted(set(packages) - OF_THE_COMMAND_LINE)
    assert not excess, culprits(excess, imports)


def test_a_culprit_is_named_with_what_imports_it() -> None:
    packages, imports = started("import sgt_data.files.urls")
    assert "fsspec" in packages
    named = culprits(["fsspec"], imports)
    assert re.search(r"ms its own: fsspec <- .*sgt_data\.files\.urls", named), named
