"""The manifests that come with the package, by name.

A wheel holds them in `sgt_data/manifests`; in a clone they lie in `manifests`, beside the package.
"""

from __future__ import annotations

import re
from pathlib import Path

from sgt_data.errors import ManifestError, RequestError
from sgt_data.suggestions import did_you_mean
from sgt_data.value_text import cut

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_EXTRA = re.compile(r"Needs the extra \[([a-z]+)\]")
_SAMPLE = re.compile(r"^#   (sgt-data sample .+)$", re.MULTILINE)
_SUFFIX = ".yaml"

SCHEMA_FILE = "manifest.schema.json"
"""JSON Schema of a manifest, beside the shipped ones."""

EDITOR_LINE = f"# yaml-language-server: $schema={SCHEMA_FILE}\n"
"""The first line of every shipped manifest: editors check the file by the schema beside it."""


def shipped_manifests() -> dict[str, str]:
    """Texts (YAML) of the manifests that come with the package, by name, in order of the names."""
    files = sorted(_folder().glob(f"*{_SUFFIX}"))
    return {file.stem: file.read_text("utf-8") for file in files}


def shipped_manifest(name: str) -> str:
    """Text (YAML) of a manifest that comes with the package.

    Raises:
        ManifestError: there is no such manifest; names the nearest, and all that there are.
    """
    manifests = shipped_manifests()
    if name not in manifests:
        near = did_you_mean(name, manifests) or "."
        raise ManifestError(
            f"no manifest named {cut(name)} comes with sgt-data{near} "
            f"There are: {', '.join(manifests)}. A file is given with its suffix: {name}{_SUFFIX}"
        )
    return manifests[name]


def summary(text: str) -> str:
    """What a shipped manifest builds: the first sentence of the comment at its begin."""
    lines = []
    for line in text.removeprefix(EDITOR_LINE).splitlines():
        if not line.startswith("# ") or line.startswith("#   "):
            break
        lines.append(line.removeprefix("# "))
    return " ".join(lines).partition(". ")[0].rstrip(".")


def extras_of(text: str) -> list[str]:
    """The extras that a shipped manifest needs: what its comments say ("Needs the extra [x]")."""
    return _EXTRA.findall(text)


def sample_command(text: str) -> str | None:
    """The command that draws the sources of a shipped manifest; None where they are a person's own.

    It is a line of the comment at its begin.
    """
    match = _SAMPLE.search(text)
    return match[1] if match else None


def is_manifest_name(text: str) -> bool:
    """Whether a text is the name of a shipped manifest, right or wrong, and not the path of a file.

    A name has no `/` and no suffix. A file of that name goes before it; a folder does not.
    """
    return bool(_NAME.fullmatch(text)) and not Path(text).is_file()


def no_manifest_file(place: str, why: object) -> ManifestError:
    """The error for a manifest's file that does not exist; it names the shipped one of that name.

    Args:
        place: absolute URL of the file.
        why: what the file system answered.
    """
    name = Path(place).stem
    if name in shipped_manifests():
        return ManifestError(
            f"there is no manifest {place}. A manifest named {name} comes with sgt-data: give "
            f"{name} in place of the file; `sgt-data init {name}` copies it here to edit"
        )
    return ManifestError(f"there is no manifest: {why}")


def copy_manifest(name: str, file: Path | None = None) -> Path:
    """Copy a shipped manifest to a file, to edit it; returns the file.

    Its first line names the schema where the package lies, so that editors check the copy.

    Args:
        name: of the manifest.
        file: to write; by default `NAME.yaml` in the current folder.

    Raises:
        RequestError: there is no such manifest, the file exists, or it cannot be written.
    """
    text = shipped_manifest(name)
    schema = EDITOR_LINE.replace(SCHEMA_FILE, (_folder() / SCHEMA_FILE).as_uri())
    text = text.replace(EDITOR_LINE, schema, 1)
    file = Path(f"{name}{_SUFFIX}") if file is None else file
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        raise RequestError(
            f"{file.absolute()} exists already; name another file with --output"
        ) from None
    except OSError as why:
        raise RequestError(f"{file.absolute()} cannot be written: {why.strerror}") from why
    return file


def _folder() -> Path:
    package = Path(__file__).parent
    installed, clone = package / "manifests", package.parent
    if not installed.is_dir() and (clone / "pyproject.toml").is_file():
        return clone / "manifests"
    return installed
