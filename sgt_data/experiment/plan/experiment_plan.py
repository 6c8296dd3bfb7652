"""The plan of an experiment: typed, from YAML and `field=value` overrides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Literal

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as checked

from sgt_data.errors import RequestError
from sgt_data.experiment.plan.arms import drawn_in
from sgt_data.experiment.plan.primary_contrast import PrimaryContrast
from sgt_data.overrides import override_fields
from sgt_data.training.config import validated
from sgt_data.yaml_text import found_instead, parse_yaml

ExperimentKind = Literal["scale", "proxies", "ratio"]
"""What differs between the arms: the number of drawn pictures, the proxies, or the share of
drawings in a batch."""


_CHECKED = ConfigDict(extra="forbid")

_OF_THE_FILE_ALONE = "init_gate"
"""A field that no override changes."""


@checked(frozen=True, config=_CHECKED)
class Pace:
    """Learning rates of a run.

    Attributes:
        matrix_rate: learning rate of Muon.
        rate: learning rate of AdamW.
    """

    matrix_rate: float
    rate: float


@checked(frozen=True, config=_CHECKED)
class Plan:
    """What an experiment trains and measures.

    Attributes:
        train: settings of every run, the fields of `TrainConfig` without `data`. Of its model only
            what the checkpoint that all arms begin with states too.
        proxies: proxies whose targets are drawn. In `scale` and `ratio` they are all drawn
            together; in `proxies` each entry is an arm, and a list is drawn together in one arm.
        seeds: seeds with which every arm runs.
        control_seeds: seeds of the controls of a `scale` experiment; empty for `seeds`.
        ladder: numbers of drawn pictures, for `scale`; numbers above the corpus' size become one
            step with the whole corpus.
        equal_epochs: rungs of the ladder that also run with steps in proportion to their pictures,
            so that every picture is drawn as often as on the top rung.
        ratios: drawings to questions in a batch, such as `2:1`, for `ratio`.
        controls: names of control arms: `base`; `questions alone, equal samples`; `questions alone,
            equal compute`; `labels as questions`; `pictures of questions hidden`; and of proxies
            `PROXY, wrong targets` and `PROXY, classified`.
        settings: by name of an arm, fields of `TrainConfig` that this arm has instead of `train`'s.
        paces: learning rates that every arm is tried with; empty for those of `train`.
        tuning_seed: seed of these trials; none of `seeds`.
        from_scratch: whether the arms begin with random weights and not with a checkpoint.
        init_gate: whether the checkpoint must have passed its gate; False is for tests.
        split_seed: decides which pictures validation and test ask about.
        question_share: share of the corpus' pictures that training asks about, 0 to 1.
        held_out_share: share of the corpus' pictures for validation, and the same for test.
        per_picture: largest number of questions of one task about one picture.
        per_task: largest number of questions of one task in one split; None for no bound.
        arithmetic_share: arithmetic questions, without a picture, for each question about pictures
            that is asked in training; 0 for none, also in validation and test.
        tasks: tasks of the questions; empty for all that the corpus can answer.
        leave_out_missing: whether proxies that the corpus lacks are left out with a note, instead
            of an error; shipped plans do.
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
    equal_epochs: Sequence[int] = ()
    ratios: Sequence[str] = ()
    controls: Sequence[str] = ("base",)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    paces: Sequence[Pace] = ()
    tuning_seed: int = 100
    from_scratch: bool = False
    init_gate: bool = True
    split_seed: int = 0
    question_share: float = 0.2
    held_out_share: float = 0.1
    per_picture: int = 4
    per_task: int | None = None
    arithmetic_share: float = 0.1
    tasks: Sequence[str] = ()
    leave_out_missing: bool = False
    keep_drawn: bool = False
    primary: PrimaryContrast | None = None

    def __post_init__(self) -> None:
        if self.tuning_seed in (*self.seeds, *self.control_seeds):
            raise ValueError(
                f"tuning_seed is {self.tuning_seed}, which is one of the seeds of the arms; a pace "
                "that was chosen on a seed would favour it"
            )

    @property
    def proxy_names(self) -> list[str]:
        """All entries of `proxies` in one list, in order."""
        return [name for entry in self.proxies for name in names_in(entry)]

    @property
    def drawn_names(self) -> list[str]:
        """The proxies that any arm draws, controls too, each once."""
        of_controls = [drawn_in(control) for control in self.controls]
        controls = [name for drawn, end in of_controls if end for name in drawn.split(" and ")]
        return list(dict.fromkeys([*self.proxy_names, *controls]))


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
    if any(override.partition("=")[0] == _OF_THE_FILE_ALONE for override in overrides):
        raise RequestError(
            f"--set {_OF_THE_FILE_ALONE}: whether a checkpoint must have passed its gate is "
            "written in the file of a plan, where its readers see it"
        )
    override_fields(document, overrides)
    return validated(Plan, document, "plan")
