"""Identity of a sample: the arguments that make its bytes, noted in the folder as `sample.json`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

import orjson

from sgt_data.errors import RequestError
from sgt_data.files.claim import differences
from sgt_data.files.writing import write_atomic
from sgt_data.scenes.staging import STAGINGS, Scenes
from sgt_data.suggestions import not_among

Form = Literal["sa1b", "coco"]
FORMS: Final[tuple[Form, ...]] = get_args(Form)

_SMALLEST, _LARGEST = 32, 4096
_SEED_MAX = 2**63 - 1
_COUNT_MAX = 10_000_000
_MARKER: Final = "sample.json"
_MARKER_DEFAULTS: Final = {"scenes": "varied", "forms": list(FORMS)}
"""Values of the fields that some `sample.json` do not have."""


@dataclass(frozen=True, slots=True)
class SampleIdentity:
    """The arguments that make the bytes of a sample, in the order of the fields of `sample.json`.

    Attributes:
        images: pictures of each form.
        seed: of the scenes.
        width, height: size of a picture in pixels.
        pictures_per_tar: pictures of a tar of SA-1B's form.
        scenes: what the scenes show.
        forms: the forms that are written, in the order of `FORMS`.
    """

    images: int
    seed: int
    width: int
    height: int
    pictures_per_tar: int
    scenes: Scenes
    forms: tuple[Form, ...]

    def check_numbers(self) -> None:
        """Check that the numbers are in range.

        Raises:
            RequestError: a number is out of range; the message names it.
        """
        for name, value, low, high in (
            ("images", self.images, 1, _COUNT_MAX),
            ("width", self.width, _SMALLEST, _LARGEST),
            ("height", self.height, _SMALLEST, _LARGEST),
            ("pictures_per_tar", self.pictures_per_tar, 1, _COUNT_MAX),
            ("seed", self.seed, 0, _SEED_MAX),
        ):
            if not low <= value <= high:
                raise RequestError(f"{name}: found {value}, must be {low} to {high}")

    def claim(self, root: Path) -> None:
        """Note the identity in `sample.json`, or check that the folder holds this sample.

        `files.claim.claim` does not fit: other files may lie in the folder, and a marker may lack
        fields.

        Raises:
            RequestError: the folder holds another sample, or files of a sample without marker.
        """
        identity = {**asdict(self), "forms": list(self.forms)}
        marker = root / _MARKER
        if marker.exists():
            claimed = {**_MARKER_DEFAULTS, **orjson.loads(marker.read_bytes())}
            _check_equal(root, claimed, identity)
            return
        for name in ("sa1b", "coco", "depth", "normals", "intrinsics.json"):
            if (root / name).exists():
                raise RequestError(
                    f"{root / name} exists and is no sample; choose another directory"
                )
        write_atomic(str(marker), orjson.dumps(identity, option=orjson.OPT_INDENT_2))


def chosen_forms(scenes: str, forms: Collection[str]) -> tuple[Form, ...]:
    """The forms of these names in the order of `FORMS`; the names of scenes are checked too.

    Raises:
        RequestError: a name is unknown, or there is no form; the message lists the allowed names.
    """
    if scenes not in STAGINGS:
        raise RequestError(f"scenes: {not_among(scenes, STAGINGS)}")
    unknown = sorted(set(forms) - set(FORMS))
    if unknown:
        raise RequestError(f"forms: {not_among(unknown[0], FORMS)}")
    if not forms:
        raise RequestError(f"forms: found none; allowed: {', '.join(FORMS)}")
    return tuple(form for form in FORMS if form in forms)


def _check_equal(root: Path, claimed: dict[str, Any], identity: dict[str, Any]) -> None:
    fields = [difference.path for difference in differences(claimed, identity)]
    changes = [
        f"{field} is {_in_words(claimed.get(field))} there, {_in_words(identity[field])} here"
        for field in fields
        if field in identity
    ]
    if changes:
        raise RequestError(
            f"{root} holds another sample: {'; '.join(changes)}; choose another directory"
        )


def _in_words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
