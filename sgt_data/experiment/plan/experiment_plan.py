"""The plan of an experiment: typed, from YAML and `field=value` overrides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Literal

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as checked

from sgt_data.errors import RequestError
from sgt_data.experiment.plan.primary_contrast import PrimaryContrast
from sgt_data.overrides import override_fields
from sgt_data.training.config import validated
from sgt_data.yaml_text import found_instead, parse_yaml

ExperimentKind = Literal["scale", "proxies", "ratio"]
"""What differs between the arms: the number of drawn pictures, the proxies, or the share of
drawings in a batch."""


@checked(frozen=True, config=ConfigDict(extra="forbid"))
class Plan:
    """What an experiment trains and measures.

    Attributes:
        train: settings of every run, the fields of `TrainConfig` without `data`.
        proxies: proxies whose targets are drawn. In `scale` and `ratio` they are all drawn
            together; in `proxies` each entry is an arm, and a list is drawn together in one arm.
        seeds: seeds with which every arm runs.
        control_seeds: seeds of the controls of a `scale` experiment; empty for `seeds`.
        ladder: numbers of drawn pictures, for `scale`; numbers above the corpus' size become one
            step with the whole corpus.
        ratios: drawings to questions in a batch, such as `2:1`, for `ratio`.
        settings: by name of an arm, fields of `TrainConfig` that this arm has instead of `train`'s.
        question_share: share of the corpus' pictures that training asks about, 0 to 1.
        held_out_share: share of the corpus' pictures for validation, and the same for test.
        per_picture: largest number of questions of one task about one picture.
        per_task: largest number of questions of one task in one split; None for no bound.
        tasks: tasks of the questions; empty for all that the corpus can answer.
        keep_drawn: whether all generated targets of a split are kept as PNG files beside the result
            of their run, `runs/RUN/SPLIT-drawn/PROXY/KEY.png`, for `sgt-data score`. No result
            depends on it, and runs that are measured already are not drawn again.
        primary: the one comparison that is tested without an adjustment; None for none, so that
            every comparison is adjusted for the number of all.
    """

    train: Mapping[str, Any]
    proxies: Sequence[str | Sequence[str]]
    seeds: Sequence[int] = (0, 1, 2)
    control_seeds: Sequence[int] = ()
    ladder: Sequence[int] = ()
    ratios: Sequence[str] = ()
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    question_share: float = 0.2
    held_out_share: float = 0.1
    per_picture: int = 4
    per_task: int | None = None
    tasks: Sequence[str] = ()
    keep_drawn: bool = False
    primary: PrimaryContrast | None = None

    @property
    def proxy_names(self) -> list[str]:
        """All entries of `proxies` in one list, in order."""
        return [name for entry in self.proxies for name in names_in(entry)]


def names_in(entry: str | Sequence[str]) -> list[str]:
    """The names in one entry of `Plan.proxies`, which is a name or a list of names."""
    return [entry] if isinstance(entry, str) else list(entry)


def parse_plan(text: str | bytes, overrides: Sequence[str] = (), where: str = "the plan") -> Plan:
    """Parse a plan from YAML text and `field=value` overrides.

    Args:
        text: YAML.
        overrides: changes of single fields.
        where: what is read, for messages.

    Raises:
        RequestError: the text is not YAML, or a field is wrong; names the field, the value found
            and what would be right.
    """
    document = parse_yaml(text, where)
    if not isinstance(document, dict):
        raise RequestError(f"{where}: {found_instead(document)}; a plan is `field: value` lines")
    override_fields(document, overrides)
    return validated(Plan, document, "plan")
