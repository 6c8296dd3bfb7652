"""The forms of an English noun, and regular plurals."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Noun:
    """The forms in which a category can be named; None where English has no such form.

    Attributes:
        singular: for example "dog".
        plural: for example "dogs".
        mass: for what cannot be counted, for example "sky", as in "everything that is sky".
        extent: for a surface or body of which a picture shows a part, for example "wall", as in
            "all of the wall".
    """

    singular: str | None = None
    plural: str | None = None
    mass: str | None = None
    extent: str | None = None

    @property
    def forms(self) -> tuple[str, ...]:
        """All forms that the noun has."""
        return tuple(filter(None, (self.singular, self.plural, self.mass, self.extent)))


def counted(singular: str, plural: str | None = None) -> Noun:
    """A noun for what can be counted; its plural is regular where none is given."""
    return Noun(singular=singular, plural=plural or _regular_plural(singular))


def _regular_plural(singular: str) -> str:
    if re.search(r"(s|x|z|ch|sh)$", singular):
        return singular + "es"
    if re.search(r"[^aeiou]y$", singular):
        return singular[:-1] + "ies"
    return singular + "s"
