"""Instruction banks: many, different, true to their variant; chosen by seed and key alone."""

from __future__ import annotations

import re
import unicodedata
from importlib.resources import files

import pytest
from instruction_rules import MAKERS, NEVER, SAYS

from sgt_data.manifest.manifest import parse_manifest
from sgt_data.prompts.bank import choose_instruction, load_bank, parse_bank

VARIANTS = ("entity", "instance", "panoptic", "semantic")
BANKS = [f"segmentation_{variant}" for variant in VARIANTS]


FILLED = {
    "each": ({"{thing}", "{a_thing}", "{things}"}, {"{background}"}),
    "degrade": ({"{map}"},),
    "generate": ({"{map}"},),
    "legend": ({"{legend}"}, {"{background}"}),
    "metric_depth": ({"{scale}"},),
    "normals": ({"{axes}"},),
    "referring": ({"{target}"},),
    "referring_colour": ({"{target}"}, {"{color}"}, {"{background}"}),
}


def normalised(line: str) -> str:
    """Letters and digits alone, British and American spelling alike."""
    plain = unicodedata.normalize("NFKC", line).casefold()
    plain = plain.replace("colour", "color").replace("grey", "gray")
    return " ".join(re.findall(r"[a-z0-9]+", plain))


def every_bank() -> list[str]:
    return sorted(
        file.name.removesuffix(".txt")
        for file in files("sgt_data.prompts").iterdir()
        if file.name.endswith(".txt")
    )


def lines_of(name: str) -> tuple[str, ...]:
    bank = load_bank(name)
    return (*bank.train, *bank.held_out)


def test_every_bank_is_tested_and_every_variant_has_one() -> None:
    shipped = {
        file.name for file in files("sgt_data.prompts").iterdir() if file.name.endswith(".txt")
    }
    assert {f"{bank}.txt" for bank in BANKS} <= shipped
    for variant in VARIANTS:
        manifest = parse_manifest(
            {
                "name": "a",
                "sources": [
                    {"type": "coco", "root": "/", "annotations": ["instances", "panoptic"]}
                ],
                "proxies": [{"type": "segmentation", "variant": variant}],
            }
        )
        assert manifest.proxies[0].bank() == f"segmentation_{variant}"


@pytest.mark.parametrize("name", every_bank())
def test_a_bank_has_230_to_240_different_lines_to_train_on_and_40_held_out(name: str) -> None:
    bank = load_bank(name)
    assert 230 <= len(bank.train) <= 240
    assert len(bank.held_out) == 40
    everything = [normalised(line) for line in lines_of(name)]
    assert len(set(everything)) == len(everything)
    assert all(3 <= len(line.split()) <= 80 for line in lines_of(name))
    assert all(len(line) <= 400 and line.isprintable() for line in lines_of(name))


def test_no_line_stands_in_two_banks() -> None:
    owners: dict[str, str] = {}
    for name in every_bank():
        for line in lines_of(name):
            assert owners.setdefault(normalised(line), name) == name, line


@pytest.mark.parametrize("name", every_bank())
def test_every_line_says_what_to_draw_and_in_which_form(name: str) -> None:
    silent = [
        (line, words)
        for line in lines_of(name)
        for words in SAYS[name]
        if not re.search(words, line, re.IGNORECASE)
    ]
    assert silent == []


@pytest.mark.parametrize("name", every_bank())
def test_no_line_asks_for_the_picture_of_another_bank(name: str) -> None:
    asked = [line for line in lines_of(name) if re.search(NEVER[name], line, re.IGNORECASE)]
    assert asked == []


@pytest.mark.parametrize("name", every_bank())
def test_no_line_names_a_network_that_may_not_have_made_the_target(name: str) -> None:
    assert [line for line in lines_of(name) if re.search(MAKERS, line, re.IGNORECASE)] == []


@pytest.mark.parametrize("name", every_bank())
def test_placeholders_are_those_that_the_proxy_fills(name: str) -> None:
    """A group each, of which a line has at least one."""
    groups = FILLED.get(name, ())
    for line in lines_of(name):
        written = set(re.findall(r"\{[^}]*\}?|\}", line))
        assert written <= {word for group in groups for word in group}, line
        assert all(written & group for group in groups), line


def test_semantic_instructions_never_ask_for_individuals() -> None:
    """One colour per class contradicts "each object"."""
    wrong = re.compile(
        r"\b(each|every|single|individual|separate|unique|different|distinct)\s+"
        r"(instance|object|thing|individual|item|person)s?\b",
        re.IGNORECASE,
    )
    denied = re.compile(r"\b(not|no|never|regardless|without|rather)\b|n't\b", re.IGNORECASE)
    asked = [
        line
        for line in lines_of("segmentation_semantic")
        if wrong.search(line) and not denied.search(line)
    ]
    assert asked == []


def test_the_choice_depends_on_seed_key_and_bank_alone() -> None:
    bank, other = load_bank(BANKS[0]), load_bank(BANKS[1])
    first = choose_instruction(bank, 3, "sa1b_1")
    for _ in range(3):
        choose_instruction(other, 9, "else")
        assert choose_instruction(bank, 3, "sa1b_1") == first
    keys = [f"sa1b_{number}" for number in range(200)]

    def lines(bank_: object, seed: int) -> list[int]:
        return [choose_instruction(bank_, seed, key).line for key in keys]  # type: ignore[arg-type]

    assert lines(bank, 3) != lines(bank, 4)
    assert lines(bank, 3) != lines(other, 3)


def test_the_choice_is_the_same_in_every_release() -> None:
    """A change here changes every corpus that was ever built."""
    bank = parse_bank("numbers", "[train]\n" + "\n".join("abcdefghij") + "\n[held-out]\nz\n")
    chosen = [choose_instruction(bank, 0, f"k{number}").text for number in range(12)]
    assert "".join(chosen) == "efadeaajajbh"


@pytest.mark.parametrize("name", BANKS)
def test_held_out_lines_are_never_chosen_and_all_others_are(name: str) -> None:
    bank = load_bank(name)
    chosen = {choose_instruction(bank, 0, f"key_{number}") for number in range(6000)}
    assert {instruction.text for instruction in chosen} == set(bank.train)
    assert not {instruction.text for instruction in chosen} & set(bank.held_out)
    assert all(
        bank.train[instruction.line] == instruction.text and instruction.bank == name
        for instruction in chosen
    )


@pytest.mark.parametrize(
    "text",
    ["", "a line\n[train]\nb\n[held-out]\nc", "[train]\na", "[held-out]\na", "[test]\na",
     "[train]\n\n[held-out]\nb"],
)  # fmt: skip
def test_a_malformed_bank_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="bank made"):
        parse_bank("made", text)
