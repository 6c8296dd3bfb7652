"""What a person may state of an export beside its format; each format takes some of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields

from sgt_data import checks
from sgt_data.errors import RequestError

COUNT_MAX = 1_000_000
"""Most ranks, and most workers of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """Options of an export. A format refuses those that it does not take.

    Attributes:
        ranks: processes that will train.
        workers: workers of each process' DataLoader.
        relative_to: folder to which the paths in lists and configurations are relative; they are
            absolute where it is left out.
        questions: folder that `sgt-data questions` wrote, to be mixed in.
    """

    ranks: int | None = None
    workers: int | None = None
    relative_to: str | None = None
    questions: str | None = None

    def __post_init__(self) -> None:
        for name in ("ranks", "workers"):
            if (value := getattr(self, name)) is not None:
                checks.whole_number(name, value, 1, COUNT_MAX)
        for name in ("relative_to", "questions"):
            if (value := getattr(self, name)) is not None:
                checks.text(name, value)

    @property
    def given(self) -> dict[str, int | str]:
        """The options that are stated, by name."""
        values = {option.name: getattr(self, option.name) for option in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    def check(self, form: str, taken: Collection[str]) -> None:
        """Refuse options that a format does not take.

        Raises:
            RequestError: names the first one.
        """
        for name in self.given:
            if name not in taken:
                allowed = ", ".join(sorted(taken)) or "none"
                raise RequestError(
                    f"{name}: the format {form} takes no such option; it takes {allowed}"
                )
