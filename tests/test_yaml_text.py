"""YAML of people: every key once, words mean themselves, nothing is executed or grows."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sgt_data.errors import ManifestError, RequestError
from sgt_data.experiment.plan.load_plan import load_plan
from sgt_data.manifest.manifest import load_manifest
from sgt_data.overrides import override_fields
from sgt_data.training.config import load_config
from sgt_data.yaml_text import parse_yaml

MANIFESTS = sorted((Path(__file__).parent.parent / "manifests").glob("*.yaml"))


@pytest.mark.parametrize(
    "text", ["a: 1\nb: 2\na: 3\n", "x:\n  a: 1\na: 0\ny: {a: 1,\n a: 2}", "- 'a': 1\n\n  a: 1"]
)
def test_a_key_that_is_given_twice_is_refused_with_both_lines(text: str) -> None:
    with pytest.raises(
        ManifestError, match=r"m\.yaml: the key 'a' is given twice, in line \d"
    ) as e:
        parse_yaml(text, "m.yaml")
    lines = [n for n, line in enumerate(text.splitlines(), 1) if "a" in line.replace("'", "")]
    assert all(f"line {n}" in str(e.value) for n in lines[-2:])


def test_every_reader_of_yaml_refuses_a_key_that_is_given_twice(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("seed: 1\nname: a\nseed: 2\n")
    for read in (
        lambda: load_manifest(str(file)),
        lambda: load_plan("scale", file),
        lambda: load_config(file, {}),
    ):
        with pytest.raises(RequestError, match=r"x\.yaml: the key 'seed' .* line 1 and in line 3"):
            read()


def test_words_mean_themselves() -> None:
    text = "a: [yes, no, on, off, y, n, 2024-01-01, 12:30, true, False, ~, 010, 0x10, 0o17, 1e-3]"
    assert parse_yaml(text, "m")["a"] == [
        "yes", "no", "on", "off", "y", "n", "2024-01-01", "12:30", True, False, None, 10, 16, 15,
        0.001,
    ]  # fmt: skip
    assert parse_yaml("no: 1\n7: x\n", "m") == {"no": 1, "7": "x"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:\n\t- 1", r"m, line 2, column 1: .*not with tabs"),
        ("a: [1,\nb: 2", r"m, line 2, column \d: this is not YAML"),
        ("a: 1\n b: 2", r"m, line 2, column 3: this is not YAML"),
        ("a: !!python/name:os.system x", r"m, line 1, column 4: found the tag .*not allowed"),
        ("a: !env HOME", r"m, line 1, column 4: found the tag '!env'"),
        ("a: .inf", r"column 4: found .inf; a number must be finite"),
        ("a: 1e999", r"column 4: found 1e999; a number must be finite"),
        ("a: &x [*x]", r"alias stands for a value that holds it"),
        ("[" * 3000, r"nested deeper than 64"),
        ("a: " + "9" * 5000, r"more than 100 digits"),
        ("--- 1\n--- 2", r"another document"),
        (b"a: caf\xe9", r"save the file as UTF-8"),
        ("? [1]\n: 2", r"a key must be text"),
        (" " * (5 << 20), r"at most 4,194,304"),
    ],
)
def test_an_error_names_line_and_column(text: str | bytes, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        parse_yaml(text, "m")


def test_aliases_and_merge_keys_are_used_and_bounded() -> None:
    assert parse_yaml("b: &b {x: 1, y: 2}\nc: {<<: *b, x: 3}", "m")["c"] == {"x": 3, "y": 2}
    laughs = "a0: &a0 [x]\n" + "".join(
        f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    merges = "a0: &a0 {x: 1}\n" + "".join(
        f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 40)
    )
    for bomb in (laughs, merges):
        with pytest.raises(ManifestError, match="stand for more than 200,000 values"):
            parse_yaml(bomb, "m")


# of a letter first: what `1e5` is differs between YAML 1.1, which PyYAML writes, and YAML 1.2; it
# writes a next-line sign as it is, where it reads it as a line break
_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x85"), max_size=12).map(
    lambda text: f"t{text}"
)
_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXT | st.floats(-1e300, 1e300),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(_PLAIN)
def test_plain_data_comes_back_as_it_was_written(data: object) -> None:
    for style in (True, False):
        text = yaml.safe_dump(data, default_flow_style=style)
        assert parse_yaml(text, "m") == data


@given(st.text("ab: -[]{}&*!'\"\n\t#|>,<\\", max_size=40))
def test_any_text_is_data_or_an_error_that_names_the_file(text: str) -> None:
    try:
        parse_yaml(text, "m.yaml")
    except ManifestError as why:
        assert str(why).startswith("m.yaml")


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_shipped_manifests_mean_what_pyyaml_reads(path: Path) -> None:
    assert parse_yaml(path.read_bytes(), path.name) == yaml.safe_load(path.read_text())


def test_a_field_that_is_set_twice_to_other_values_is_refused() -> None:
    with pytest.raises(ManifestError, match=r"--set seed is given twice, with '1' and '2'"):
        override_fields({}, ["seed=1", "name=x", "seed=2"])
    data: dict[str, object] = {}
    override_fields(data, ["seed=1", "seed=1"])
    assert data == {"seed": 1}
    for pair in itertools.permutations(["a.b=1", "a.c=2"]):
        data = {}
        override_fields(data, pair)
        assert data == {"a": {"b": 1, "c": 2}}
    for wrong in ("seed", "=1", "a..b=1", ".a=1"):
        with pytest.raises(ManifestError, match=r"the form is field\.path=value"):
            override_fields({}, [wrong])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Photos #2", "Photos #2"),
        (" #2 ", "#2"),
        ("@me", "@me"),
        ("%CC", "%CC"),
        ("*.tar", "*.tar"),
        ("!x", "!x"),
        ("- a", "- a"),
        ("it's: 5 #", "it's: 5 #"),
        ("CC BY: see page", "CC BY: see page"),
        ("5 #x", "5 #x"),
        ("yes", "yes"),
        ("~/photos", "~/photos"),
        ("train_{000..003}.tar", "train_{000..003}.tar"),
        ("010", 10),
        ("-2.5e3", -2500.0),
        ("true", True),
        ("null", None),
        ("", None),
        ("[0, 1]", [0, 1]),
        ("{a: 1}", {"a": 1}),
        ('"5"', "5"),
        ("'a # b'", "a # b"),
        ("a: 1\nb: 2", {"a": 1, "b": 2}),
    ],
)
def test_a_value_that_is_set_is_a_word_brackets_of_yaml_or_the_text_itself(
    text: str, value: object
) -> None:
    data: dict[str, object] = {}
    override_fields(data, [f"a={text}"])
    assert data == {"a": value}


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=30))
def test_text_that_is_set_is_kept_whole(text: str) -> None:
    data: dict[str, object] = {}
    override_fields(data, [f"a=x {text}."])
    assert data == {"a": f"x {text}."}


@pytest.mark.parametrize("text", [".inf", "1e999", "[1, 2", "[*a]", "{a: 1, a: 2}", "x\x07"])
def test_a_value_that_cannot_be_read_names_its_option(text: str) -> None:
    with pytest.raises(ManifestError, match="--set 'a="):
        override_fields({}, [f"a={text}"])
