"""What a run reads: the model that it trains, and the data that the model learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import PurePath
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict
from pydantic.dataclasses import dataclass as checked

from sgt_data.files.urls import plain

CHECKED = ConfigDict(extra="forbid")
"""No field but the stated ones."""

_Url = Annotated[
    str, BeforeValidator(lambda value: plain(value) if isinstance(value, PurePath) else value)
]


@checked(frozen=True, config=CHECKED)
class ModelConfig:
    """Which model is trained: the bundled one (`training.model`), or another one.

    Attributes:
        make: `package.module:function`, or `my_model.py:function` of the current folder, that
            makes a `Learner` from (settings).
        picture: side of the pictures that the model reads and draws, pixels.
        init: a checkpoint, or the folder of a finished run, whose weights the model begins with;
            None for random weights.
        init_digest: SHA-256 of that checkpoint. A run states it by itself, so that another
            checkpoint is another run; where it is given, the checkpoint must have it.
        settings: keyword settings for that function.
    """

    make: str = "sgt_data.training.model:make"
    picture: int = 48
    init: _Url | None = None
    init_digest: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@checked(frozen=True, config=CHECKED)
class DataConfig:
    """The data that a model learns from.

    Attributes:
        corpus: fsspec URL of a corpus or of a subset file.
        questions: a folder of `sgt-data questions`, or a `.jsonl` file in LLaVA's form.
        proxies: proxies whose targets are drawn; empty for questions alone.
        fraction: fraction of the corpus that is drawn, chosen as by `sgt-data scale`; None for all.
        more_questions: further folders of questions, or `.jsonl` files in LLaVA's form, that are
            mixed into the questions by their sizes.
        descriptions: files or folders of `sgt-data captions --ask`: captions answer a question
            about the picture. They are questions too, in numbers of their own.
        captions: `.jsonl` files of `sgt-data captions`, LLaVA's form with the picture in the
            answer: a text, and what it describes as the target.
        blind: whether grey pictures replace the pictures of the questions.
        wrong_targets: whether every picture comes with the target of another picture of its batch
            and proxy, a control.
    """

    corpus: _Url
    questions: _Url
    proxies: Sequence[str] = ()
    fraction: float | None = None
    more_questions: Sequence[_Url] = ()
    descriptions: Sequence[_Url] = ()
    captions: Sequence[_Url] = ()
    blind: bool = False
    wrong_targets: bool = False

    @property
    def places(self) -> list[str]:
        """All that is read."""
        files = (*self.more_questions, *self.descriptions, *self.captions)
        return [self.corpus, self.questions, *files]
