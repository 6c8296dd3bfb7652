"""Nouns for COCO's category names, and which nouns might mean the same.

COCO's names are partly labels (`wall-other-merged`, `floor-wood`), which nobody says.
"""

from __future__ import annotations

from sgt_data.referring.noun_forms import Noun, counted

_THINGS = {
    "person": counted("person", "people"),
    "sports ball": counted("ball"),
    "skis": counted("pair of skis", "skis"),
    "knife": counted("knife", "knives"),
    "sheep": counted("sheep", "sheep"),
    "broccoli": counted("piece of broccoli", "pieces of broccoli"),
    "tv": counted("screen"),
    "mouse": counted("computer mouse", "computer mice"),
    "remote": counted("remote control"),
    "scissors": counted("pair of scissors", "scissors"),
    "hair drier": counted("hair dryer"),
    "donut": counted("doughnut"),
    "snowman": counted("snowman", "snowmen"),
}
"""Things with irregular plurals, and things that people call by another name."""

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
"""Stuff of which a picture may show one or several; the annotation does not tell how many."""

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
"""Stuff that cannot be counted."""

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
"""Surfaces and bodies of which a picture shows a part."""

_IRREGULAR = {
    "leaves": Noun(plural="leaves"),
    "clothes": Noun(plural="clothes"),
    "clouds": counted("cloud"),
    "shelf": counted("shelf", "shelves"),
    "vegetable": counted("vegetable"),
    "waterdrops": Noun(singular="drop of water", plural="drops of water"),
}
"""Stuff with irregular forms."""

_UNSAYABLE = ("other", "solid-other", "structural-other", "thing", "things", "unlabeled", "object")
"""Names that do not describe what a picture shows."""

NOUNS: dict[str, Noun] = {
    **_THINGS,
    **{name: counted(word) for name, word in _COUNTED_STUFF.items()},
    **{name: Noun(mass=word) for name, word in _MASSES.items()},
    **{name: Noun(extent=word) for name, word in _EXTENTS.items()},
    **_IRREGULAR,
    **dict.fromkeys(_UNSAYABLE, Noun()),
}
"""The noun of each category name whose words are not used as they are; a `Noun` without forms for a
name that cannot be used."""

NEIGHBOURS: tuple[tuple[str, ...], ...] = (
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
"""Groups of nouns that people confuse: each might mean what the others name."""

NARROWER: dict[str, tuple[str, ...]] = {
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
"""Wide nouns with narrower ones: the wide noun might mean what a narrower one names, but not the
other way round."""
