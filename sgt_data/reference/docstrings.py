"""Docstrings taken apart: the text at the begin, and sections such as `Attributes:`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_HEAD = re.compile(r"([A-Z][A-Za-z ]*):$")
_ENTRY = re.compile(r"([A-Za-z_][A-Za-z0-9_, ]*): +(.+)")
_BULLET = re.compile(r"- `([a-z0-9_]+)`: (.+)")


@dataclass(frozen=True, slots=True)
class Docstring:
    """The parts of a docstring.

    Attributes:
        summary: its first paragraph, in one line.
        text: the paragraphs after it, with an empty line between them.
        sections: lines of each section by its head, without their common indent.
    """

    summary: str
    text: str
    sections: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, documented: Any) -> Docstring:
        """The docstring of a class or module; empty where it has none."""
        lines = inspect.cleandoc(getattr(documented, "__doc__", None) or "").splitlines()
        paragraphs: list[list[str]] = [[]]
        sections: dict[str, list[str]] = {}
        section: list[str] | None = None
        for line in lines:
            if head := _HEAD.fullmatch(line):
                section = sections.setdefault(head[1], [])
            elif section is not None and (line.startswith(" ") or not line):
                section.append(line)
            elif line:
                section = None
                paragraphs[-1].append(line)
            elif paragraphs[-1]:
                paragraphs.append([])
        summary, *others = [" ".join(paragraph) for paragraph in paragraphs if paragraph] or [""]
        return cls(summary, "\n\n".join(others), {head: _cut(of) for head, of in sections.items()})

    @property
    def attributes(self) -> dict[str, str]:
        """Meaning of each attribute, in one line."""
        meanings: dict[str, str] = {}
        names: list[str] = []
        for line in self.sections.get("Attributes", ()):
            entry = _ENTRY.fullmatch(line)
            if entry:
                names = [name.strip() for name in entry[1].split(",")]
                meanings |= dict.fromkeys(names, entry[2])
            elif line:
                meanings |= {name: f"{meanings[name]} {line.strip()}" for name in names}
        return meanings

    def section(self, head: str) -> str:
        """A section of prose, in one line; empty where there is none."""
        return " ".join(line.strip() for line in self.sections.get(head, ()) if line)


def attribute_texts(model: type[Any]) -> dict[str, str]:
    """Meaning of each attribute of a class: its own docstring goes before those of its bases."""
    texts: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if base.__module__ not in ("builtins", "pydantic.main"):
            texts |= Docstring.of(base).attributes
    return texts


def bullets(documented: Any) -> dict[str, str]:
    """The texts of a list in a docstring, whose points are "- `name`: text"."""
    texts: dict[str, str] = {}
    name = ""
    for line in inspect.cleandoc(documented.__doc__ or "").splitlines():
        if point := _BULLET.fullmatch(line):
            name = point[1]
            texts[name] = point[2]
        elif name and line.startswith("  "):
            texts[name] += f" {line.strip()}"
        else:
            name = ""
    return texts


def _cut(lines: list[str]) -> tuple[str, ...]:
    """Lines of a section without their common indent, and without empty lines around them."""
    return tuple(inspect.cleandoc("\n" + "\n".join(lines)).strip("\n").splitlines())
