"""Category names -> English nouns, and which nouns might mean which categories.

COCO's names are partly labels (`wall-other-merged`, `floor-wood`). A name in no table is used as it
is: a thing is counted, with a regular plural; stuff is a mass.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Noun:
    """The forms in which a category can be spoken of; None where English has none.

    Attributes:
        singular, plural: "dog", "dogs".
        mass: "sky"; said of whatever there is of it, as in "everything that is sky".
        extent: "wall"; a surface or a body that a picture shows some of, as in "all of the wall".
    """

    singular: str | None = None
    plural: str | None = None
    mass: str | None = None
    extent: str | None = None

    @property
    def forms(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.singular, self.plural, self.mass, self.extent)))


RESERVED = frozenset(
    {
        "a", "all", "an", "and", "any", "bottommost", "every", "everything", "farthest", "is",
        "largest", "least", "leftmost", "most", "nearest", "of", "or", "rightmost", "smallest",
        "that", "the", "to", "topmost",
    }
)  # fmt: skip
"""Words of the phrases themselves: a noun with one of them might be read in two ways."""

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+")
_LENGTH_MAX = 40


def noun_of(name: str, isthing: bool) -> Noun | None:
    """How to speak of a category; None where its name cannot be said in a phrase."""
    known = _NOUNS.get(name.casefold())
    if known is not None:
        return known
    spoken = " ".join(name.replace("_", " ").split())
    words = spoken.split(" ")
    sayable = len(spoken) <= _LENGTH_MAX and all(_WORD.fullmatch(word) for word in words)
    if not sayable or words_of(spoken) & RESERVED:
        return None
    return _counted(spoken) if isthing else Noun(mass=spoken)


def might_mean(noun: str, name: str, isthing: bool) -> bool:
    """Whether someone who says `noun` (in any of its forms) might mean a category.

    They might if the category's own name, or one of its nouns, holds all words of the noun ("bear"
    might mean a teddy bear), or if the noun is a wider or a neighbouring word for it.
    """
    said = words_of(noun)
    return any(said <= meant for meant in _words_that_mean(name, isthing))


@lru_cache(maxsize=4096)
def words_of(text: str) -> frozenset[str]:
    """The words of a noun or a name, each in the singular as far as a final s tells."""
    return frozenset(_stem(word) for word in re.split(r"[\s\-_]+", text.casefold()) if word)


@lru_cache(maxsize=4096)
def _words_that_mean(name: str, isthing: bool) -> tuple[frozenset[str], ...]:
    noun = noun_of(name, isthing)
    forms = noun.forms if noun else ()
    wider = [word for form in forms for word in _ALSO_CALLED.get(form, ())]
    return tuple(words_of(text) for text in (name, *forms, *wider))


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _counted(singular: str, plural: str | None = None) -> Noun:
    return Noun(singular=singular, plural=plural or _regular_plural(singular))


def _regular_plural(singular: str) -> str:
    if re.search(r"(s|x|z|ch|sh)$", singular):
        return singular + "es"
    if re.search(r"[^aeiou]y$", singular):
        return singular[:-1] + "ies"
    return singular + "s"


_THINGS = {
    "person": _counted("person", "people"),
    "sports ball": _counted("ball"),
    "skis": _counted("pair of skis", "skis"),
    "knife": _counted("knife", "knives"),
    "sheep": _counted("sheep", "sheep"),
    "broccoli": _counted("piece of broccoli", "pieces of broccoli"),
    "tv": _counted("screen"),
    "mouse": _counted("computer mouse", "computer mice"),
    "remote": _counted("remote control"),
    "scissors": _counted("pair of scissors", "scissors"),
    "hair drier": _counted("hair dryer"),
    "donut": _counted("doughnut"),
    "snowman": _counted("snowman", "snowmen"),
}
"""Irregular ones, and names that are not what people say."""

_COUNTED_STUFF = {
    "banner": "banner",
    "blanket": "blanket",
    "branch": "branch",
    "bridge": "bridge",
    "building-other": "building",
    "building-other-merged": "building",
    "bush": "bush",
    "cabinet": "cabinet",
    "cabinet-merged": "cabinet",
    "cage": "cage",
    "counter": "counter",
    "cupboard": "cupboard",
    "curtain": "curtain",
    "desk-stuff": "desk",
    "door-stuff": "door",
    "flower": "flower",
    "hill": "hill",
    "house": "house",
    "light": "light",
    "mat": "mat",
    "mirror-stuff": "mirror",
    "mountain": "mountain",
    "mountain-merged": "mountain",
    "napkin": "napkin",
    "net": "net",
    "pillow": "pillow",
    "plant-other": "plant",
    "rock": "rock",
    "rock-merged": "rock",
    "roof": "roof",
    "rug": "rug",
    "rug-merged": "rug",
    "skyscraper": "skyscraper",
    "table": "table",
    "table-merged": "table",
    "tent": "tent",
    "towel": "towel",
    "tree": "tree",
    "tree-merged": "tree",
    "window-blind": "window blind",
    "window-other": "window",
}
"""COCO's stuff of which there may be one or several, which its annotation does not tell."""

_MASSES = {
    "cardboard": "cardboard",
    "cloth": "cloth",
    "dirt": "dirt",
    "dirt-merged": "dirt",
    "fog": "fog",
    "food-other": "food",
    "food-other-merged": "food",
    "fruit": "fruit",
    "furniture-other": "furniture",
    "grass": "grass",
    "grass-merged": "grass",
    "gravel": "gravel",
    "metal": "metal",
    "moss": "moss",
    "mud": "mud",
    "paper": "paper",
    "paper-merged": "paper",
    "plastic": "plastic",
    "salad": "salad",
    "sand": "sand",
    "sky": "sky",
    "sky-other": "sky",
    "sky-other-merged": "sky",
    "snow": "snow",
    "stone": "stone",
    "straw": "straw",
    "textile-other": "fabric",
    "water": "water",
    "water-other": "water",
    "wood": "wood",
}

_EXTENTS = {
    "carpet": "carpet",
    "ceiling-merged": "ceiling",
    "ceiling-other": "ceiling",
    "ceiling-tile": "tiled ceiling",
    "fence": "fence",
    "fence-merged": "fence",
    "floor-marble": "marble floor",
    "floor-other": "floor",
    "floor-other-merged": "floor",
    "floor-stone": "stone floor",
    "floor-tile": "tiled floor",
    "floor-wood": "wooden floor",
    "ground-other": "ground",
    "pavement": "pavement",
    "pavement-merged": "pavement",
    "platform": "platform",
    "playingfield": "playing field",
    "railing": "railing",
    "railroad": "railway tracks",
    "river": "river",
    "road": "road",
    "sea": "sea",
    "stairs": "stairs",
    "wall": "wall",
    "wall-brick": "brick wall",
    "wall-concrete": "concrete wall",
    "wall-other": "wall",
    "wall-other-merged": "wall",
    "wall-panel": "panelled wall",
    "wall-stone": "stone wall",
    "wall-tile": "tiled wall",
    "wall-wood": "wooden wall",
}

_IRREGULAR = {
    "leaves": Noun(plural="leaves"),
    "clothes": Noun(plural="clothes"),
    "clouds": _counted("cloud"),
    "shelf": _counted("shelf", "shelves"),
    "vegetable": _counted("vegetable"),
    "waterdrops": Noun(singular="drop of water", plural="drops of water"),
}

_UNSAYABLE = ("other", "solid-other", "structural-other", "thing", "things", "unlabeled", "object")
"""Names that say nothing of what one sees; see `noun_of`."""

_NEIGHBOURS: tuple[tuple[str, ...], ...] = (
    ("building", "house", "skyscraper"),
    ("cabinet", "cupboard", "shelf"),
    ("car", "truck"),
    ("carpet", "mat", "rug"),
    ("cloth", "fabric"),
    ("cup", "wine glass"),
    ("dining table", "desk", "table"),
    ("dirt", "gravel", "ground", "mud", "sand"),
    ("fence", "railing", "cage"),
    ("fog", "sky", "cloud"),
    ("flower", "plant", "potted plant"),
    ("hill", "mountain"),
    ("hot dog", "sandwich"),
    ("pavement", "road"),
    ("river", "sea", "water"),
    ("rock", "stone"),
    ("branch", "bush", "leaves", "tree"),
)
"""Nouns between which one may hesitate: each might mean what the others name."""

_NARROWER: dict[str, tuple[str, ...]] = {
    "building": ("bridge", "roof", "tent"),
    "cloth": ("banner", "blanket", "clothes", "curtain", "napkin", "pillow", "rug", "towel"),
    "dirt": ("playing field",),
    "fabric": ("banner", "blanket", "clothes", "curtain", "napkin", "pillow", "rug", "towel"),
    "food": (
        "apple", "banana", "cake", "carrot", "doughnut", "fruit", "hot dog", "orange",
        "piece of broccoli", "pizza", "salad", "sandwich", "vegetable",
    ),
    "fruit": ("apple", "banana", "orange"),
    "furniture": (
        "bed", "bench", "cabinet", "chair", "couch", "counter", "cupboard", "desk", "dining table",
        "shelf", "table",
    ),
    "grass": ("moss", "playing field", "straw"),
    "ground": ("floor", "grass", "moss", "pavement", "playing field", "road", "snow"),
    "house": ("roof",),
    "keyboard": ("laptop",),
    "oven": ("microwave",),
    "playing field": ("dirt", "grass", "sand"),
    "plant": ("bush", "grass", "moss", "tree"),
    "screen": ("cell phone", "laptop"),
    "snow": ("hill", "mountain"),
    "stone": ("gravel", "stone floor", "stone wall"),
    "table": ("counter",),
    "tree": ("potted plant",),
    "vegetable": ("carrot", "piece of broccoli", "salad"),
    "wood": ("branch", "wooden floor", "wooden wall"),
}  # fmt: skip
"""Nouns that might mean what others name, though not the other way round."""


def _wider_words() -> dict[str, frozenset[str]]:
    """For each noun those that might mean the same things."""
    wider: dict[str, set[str]] = {}
    for group in _NEIGHBOURS:
        for noun in group:
            wider.setdefault(noun, set()).update(group)
    for noun, narrower in _NARROWER.items():
        for one in narrower:
            wider.setdefault(one, set()).add(noun)
    return {noun: frozenset(words) for noun, words in wider.items()}


_ALSO_CALLED = _wider_words()

_NOUNS: dict[str, Noun] = {
    **_THINGS,
    **{name: _counted(word) for name, word in _COUNTED_STUFF.items()},
    **{name: Noun(mass=word) for name, word in _MASSES.items()},
    **{name: Noun(extent=word) for name, word in _EXTENTS.items()},
    **_IRREGULAR,
    **dict.fromkeys(_UNSAYABLE, Noun()),
}
