"""Own proxies, sources and annotators: a usual mistake ends in words that say what is right.

The files are those that `sgt-data new` writes, with one mistake each, as a stranger makes it.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from own_code import built_with, manifest_with, written

from sgt_data.annotators.registry import annotator_kinds
from sgt_data.errors import OwnCodeError, SgtDataError
from sgt_data.plugins.contract import check_kind
from sgt_data.plugins.member import base_of
from sgt_data.proxies.registry import proxy_kinds
from sgt_data.sources.registry import source_kinds

FIELD = "    tones: int = Field"
RETURNED = 'return DrawnTarget(encode_grey(levels), "png", {"tones": self.tones})'
TONE = "tone = grey * self.tones // 256"
PICTURE = "picture = read_listed(join(place, name), size)"

PROXY = {
    "tier unknown": ('Tier] = "low"', 'Tier] = "lowest"', "found 'lowest'.*allowed: high, mid, "
    "low"),
    "tier a field": ("ClassVar[Tier]", "Tier", r"tier is a field.*tier: ClassVar\["),
    "tier missing": ('tier: ClassVar[Tier] = "low"', "pass", r"tier is missing: tier: ClassVar\["),
    "type without default": (
        'type: Literal["tone"] = "tone"', "type: str", r'type: Literal\["tone"\] = "tone"',
    ),
    "name without default": ('name: str = "tone"', "name: str", 'name: str = "tone"'),
    "name no folder": ('name: str = "tone"', 'name: str = "My Tone"', "1 to 32 of a-z"),
    "no base class": ("ToneProxy(Proxy)", "ToneProxy", r"`class ToneProxy\(Proxy\)`"),
    "hidden class": ("class ToneProxy", "class _ToneProxy", "begin with _ are left out"),
    "draw misspelt": ("def draw(", "def drow(", r"draw is missing.*drow.*def draw\(self, subject"),
    "decode missing": ("def decode(", "def _decode(", "decode is missing.*Recover from a stored"),
    "decode no classmethod": ("@classmethod\n    ", "", "must be a classmethod: `@classmethod def"),
    "draw takes other": ("subject: Subject", "image, mask", r"called with \(self, subject\)"),
    "draw async": ("    def draw", "    async def draw", "async, and is called without await"),
    "draw yields": ("return DrawnTarget", "yield DrawnTarget", "yields; it must return"),
    "bank a field": (FIELD, f'    bank: str = "x"\n{FIELD}', "bank is a field, which hides"),
    "degrades a field": (FIELD, f"    degrades: bool = True\n{FIELD}", r"degrades: ClassVar\[bool"),
    "own init": (FIELD, f"    def __init__(self): pass\n{FIELD}", "__init__ is written"),
    "field no manifest holds": (FIELD, f"    t: np.ndarray = 0\n{FIELD}", "line 17.*numpy.ndarray"),
    "property as method": (FIELD, f"    def shows_picture(self): pass\n{FIELD}", "be a property"),
    "layer no name": (FIELD, f'    needs: ClassVar[set] = {{"A B"}}\n{FIELD}', "A B.*1 to 32"),
    "library missing": ("import numpy as np", "import numpyy as np", "line 8.*No module named"),
    "no Python": ("import numpy as np", "import numpy as", "line 8: this is not Python"),
    "built-in type": ('Literal["tone"] = "tone"', 'Literal["edge"] = "edge"', "built-in proxy"),
    "bank unknown": (
        FIELD, f'    def bank(self): return "edge_sofd"\n{FIELD}', "did you mean edge_soft",
    ),
    "bank fails": (FIELD, f"    def bank(self): return self.x\n{FIELD}", "line 28.*attribute 'x'"),
    "annotator without layer": (
        FIELD, f'    def annotator_for(self, layers): return "sam"\n{FIELD}', "annotated_layer",
    ),
    "layer not offered": (
        FIELD, f'    needs: ClassVar[frozenset[str]] = frozenset({{"flow"}})\n{FIELD}',
        "tone needs the layer flow; the source has none",
    ),
    "bytes returned": (RETURNED, "return encode_grey(levels)", "returned bytes.*DrawnTarget"),
    "nothing returned": (RETURNED, "pass", "line 30.*returned None; right is DrawnTarget"),
    "array as target": ("encode_grey(levels), ", "levels, ", "target is ndarray.*bytes of a PNG"),
    "extension with dot": ('"png"', '".png"', "found|extension is '.png'; right is png or jpg"),
    "another form": ('"png"', '"jpg"', "target is no JPEG file"),
    "another size": ("encode_grey(levels)", "encode_grey(levels[:16])", "32x16.*32x32"),
    "numpy in facts": ("self.tones})", "np.int64(self.tones)})", r"facts.tones is int64.*int\("),
    "taken key": ('{"tones": self.tones})', '{"size": 3})', "key 'size', which every sample has"),
    "segments not listed": ("self.tones})", "self.tones}, segments=3)", "segments is 3, and"),
    "words unknown": ("self.tones})", 'self.tones}, words={"a": "b"})', "words has a; the place"),
    "division by zero": (TONE, f"{TONE} + 1 // 0", "line 33: ZeroDivisionError.*AnnotationError"),
    "layer misspelt": (TONE, 'subject.annotation("instance")', "asks for the layer 'instance'"),
    "no such attribute": (TONE, "tone = subject.pixels", "line 33: AttributeError"),
    "decode refuses": ("tone * 255 // steps != levels", "levels == levels", "refuses what draw"),
    "decode fails": ('facts["tones"] - 1', 'facts["steps"]', "decode.*line 41: KeyError: 'steps'"),
}  # fmt: skip

SOURCE = {
    "no base class": ("PosedSource(Source)", "PosedSource", r"class PosedSource\(Source\)"),
    "layers misspelt": ("def layers(", "def layer(", "layers is missing.*layer?"),
    "inventory takes less": ("self, shard_samples: int)", "self)", r"called with \(self, shard_s"),
    "read takes less": (", skip: Collection[str])", ")", r"called with \(self, piece, shard_samp"),
    "places a text": ('frozenset({"pictures", "depth"})', '"pictures"', "places: found 'pictures'"),
    "segments not parsed": (
        "return frozenset()", 'return frozenset({"instances"})', "no method annotation that parses",
    ),
    "layers a list": ("return frozenset()", 'return ["depth"]', "layers.*right is a frozenset"),
    "slices a list": ("Inventory(tuple(slices)", "Inventory(list(slices)", "right is a tuple of"),
    "slices alone": ("return Inventory(tuple(slices), {", "return list({", "Inventory of sgt_data"),
    "sizes no texts": ('{name: f"{size} bytes" for', "{name: size for", "a dict of texts"),
    "another source": ("Slice(self.name", 'Slice("other"', "source 'other'; right is self.name"),
    "payload a text": (".encode()", "", "payload of slice f-00000.*right are bytes"),
    "read returns": ("        yield RawShard", "        return RawShard", "right is to `yield`"),
    "never last": ("last=True", "last=False", "has last=False; right is last=True"),
    "another shard": ("RawShard(piece.name,", 'RawShard("x",', "the shard 'x'; the slice has f-0"),
    "key without source": ("RawInput(key, ", "RawInput(name, ", "does not begin with f_"),
    "inputs a list": ("tuple(inputs), last", "inputs, last", "is list; right is a tuple"),
    "no picture": (PICTURE, "picture = None", "picture of 'f_0' is NoneType; right are bytes"),
    "read fails": (PICTURE, "picture = inputs[7]", "line 53: IndexError"),
    "inventory fails": ("(self.name, names), []", "(self.nam, names), []", "line 38: Attrib"),
    "field misspelt": ("    pictures: str", "    folder: str", "folder: must be given"),
    "data no bytes": (
        "    def inventory", "    def offers(self): return {1}\n\n    def inventory",
        "right is a frozenset of",
    ),
}  # fmt: skip

ANNOTATOR = {
    "layer missing": ("layer: ClassVar", "layers: ClassVar", r"layer is missing: layer: ClassVar"),
    "layer misspelt": ('Layer] = "depth"', 'Layer] = "dept"', "gives dept, not depth"),
    "no base class": ("GuessAnnotator(Annotator)", "GuessAnnotator", r"Annotator\(Annotator\)"),
    "weights misspelt": ("def find_weights", "def find_weight", "find_weights is missing"),
    "path alone": ('return "", None', 'return ""', r"right is \(path, revision\)"),
    "no digest": ('return "none"', "return None", "right is the SHA-256 of the weights"),
    "no model": ("return _Model(self.light, setup)", "pass", "prepare, run and finish"),
    "load fails": ("_Model(self.light,", "_Model(self.lite,", "line 39: AttributeError"),
    "load takes less": ("path: str, setup: Setup)", "path: str)", r"called with \(self, path, se"),
    "method missing": ("def finish", "def finished", "has no method finish"),
    "array as layer": ("return encode_dense(result)", "return result", "ndarray; right are bytes"),
    "other bytes": ("return encode_dense(result)", 'return b"abc"', "is no layer of depth"),
    "another size": ("encode_dense(result)", "encode_dense(result[:9])", "32x9 pixels.*32x32"),
    "finish fails": ("encode_dense(result)", "encode_dense(result[0][0])", "line 58: "),
    "floats as pixels": ("np.asarray(image), ", "np.asarray(image) / 255, ", "uint8 RGB"),
    "results lacking": ("return list((", "return [] and list((", "right is one result for each"),
    "run fails": ("torch.from_numpy", "torch.from_nmpy", "run of annotator guess: .*line 53"),
    "batch a field": (
        "    light: float", "    gpu_batch: int = 4\n    light: float", "gpu_batch: ClassVar",
    ),
}  # fmt: skip

MISTAKES = [
    pytest.param(role, *mistake, id=f"{role}: {name}")
    for role, mistakes in (("proxy", PROXY), ("source", SOURCE), ("annotator", ANNOTATOR))
    for name, mistake in mistakes.items()
]


@pytest.mark.parametrize(("role", "old", "new", "message"), MISTAKES)
def test_a_mistake_is_named_with_what_would_be_right(
    tmp_path: Path, role: str, old: str, new: str, message: str
) -> None:
    file = written(role, tmp_path, (old, new))
    more = {"proxies": [{"type": "tone"}]} if "bank" in new and "def bank" in new else {}
    with pytest.raises(SgtDataError) as caught:
        built_with(role, file, **more)
    text = str(caught.value)
    assert re.search(message, text, re.DOTALL), text
    assert "Traceback" not in text


@pytest.mark.parametrize("role", ["proxy", "source", "annotator"])
def test_the_files_that_new_writes_have_no_mistake(tmp_path: Path, role: str) -> None:
    report = built_with(role, written(role, tmp_path))
    assert report.succeeded and not report.reasons


def test_a_mistake_in_draw_quarantines_nothing(tmp_path: Path) -> None:
    """It ends the build: no receipt says that pictures are damaged which are not."""
    file = written("proxy", tmp_path, (TONE, f'{TONE}\n        assert subject.key != "f_1"'))
    with pytest.raises(OwnCodeError, match=r"\(f_1\): .*tone.py, line 34: AssertionError"):
        built_with("proxy", file)
    assert not list((tmp_path / "corpus").rglob("*.jsonl"))
    assert not list((tmp_path / "corpus" / "receipts").rglob("*.json"))


def test_an_annotation_error_of_draw_costs_one_picture(tmp_path: Path) -> None:
    lines = 'if subject.key == "f_1":\n            raise AnnotationError("too bright")'
    imports = "from sgt_data.errors import CorpusError"
    file = written(
        "proxy",
        tmp_path,
        (imports, f"{imports}, AnnotationError"),
        (TONE, f"{TONE}\n        {lines}"),
    )
    report = built_with("proxy", file)
    assert (report.totals["tone"]["samples"], report.totals["tone"]["damaged"]) == (1, 1)
    assert "too bright" in str(report.reasons[0])


def test_a_file_that_a_source_cannot_read_fails_its_slice_alone(tmp_path: Path) -> None:
    file = written("source", tmp_path, (PICTURE, 'picture = open(name + ".gone", "rb").read()'))
    report = built_with("source", file)
    assert not report.complete
    assert re.search(r"posed.py, line 53: FileNotFoundError", str(report.failures[0]))


def test_built_in_kinds_keep_the_contract_that_own_code_must() -> None:
    for kinds in (proxy_kinds(), source_kinds(), annotator_kinds()):
        for name, kind in kinds.items():
            check_kind(kind, base_of(kind), "built in", name)


def test_an_edited_file_is_read_again(tmp_path: Path) -> None:
    file = written("proxy", tmp_path)
    assert manifest_with("proxy", file).proxies[0].tones == 4
    file.write_text(file.read_text().replace("Field(4,", "Field(8,"))
    assert manifest_with("proxy", file).proxies[0].tones == 8
