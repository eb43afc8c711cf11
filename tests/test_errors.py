import ast
import os
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

import vidnas
from vidnas.errors import are, counted, plural, storable


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [
        (1, "epoch", "1 epoch"),
        (0, "epoch", "0 epochs"),
        (2, "class", "2 classes"),
        (1, "class", "1 class"),
        (3, "batch", "3 batches"),
        (2, "entry", "2 entries"),
        (2, "day", "2 days"),
        (13_320, "test video", "13,320 test videos"),
    ],
)
def test_a_count_is_in_the_plural_unless_it_is_one(number: int, noun: str, said: str) -> None:
    assert counted(number, noun) == said


def test_the_verb_goes_with_the_count() -> None:
    assert [are(number) for number in (0, 1, 2)] == ["are", "is", "are"]


COUNTED = (
    "epoch", "network", "thread", "video", "clip", "group", "class", "frame", "seed", "step", "window",
    "shard", "run", "column", "value", "edge",
)  # fmt: skip
NUMBERS = re.compile(r"len\(|num_|epochs|count|threads|total")
"""In an expression whose value is a number of things."""
ALWAYS_MANY = (
    "len(second) videos",  # behind a plus: a sum of two that are at least one
    "num_frames frames",  # C3D's 8 or 16
)


def counts(source: str) -> Iterator[str]:
    """Where a number of things is followed by what they are, in the plural whatever the number is."""
    behind = re.compile(rf" (?:\w+ )?(?:{'|'.join(map(plural, COUNTED))})\b")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            for value, text in pairwise(node.values):
                if isinstance(value, ast.FormattedValue) and isinstance(text, ast.Constant):
                    told, found = ast.unparse(value.value), behind.match(str(text.value))
                    if found and NUMBERS.search(told) and "counted(" not in told:
                        yield told + found[0]


def test_no_text_puts_a_plural_behind_a_number_that_may_be_one() -> None:
    """Counts go through one function: in the code, and in the pages' templates."""
    assert list(counts('f"{len(x)} bad videos, {len(y)} seconds"')) == ["len(x) bad videos"]
    folder = Path(vidnas.__file__).parent
    found = {
        f"{file.relative_to(folder)}: {text}"
        for file in folder.rglob("*.py")
        for text in counts(file.read_text())
    }
    assert {one for one in found if not one.endswith(ALWAYS_MANY)} == set()
    for template in folder.rglob("*.j2"):
        assert not re.search(r"\| length \}\} \w+s\b", template.read_text()), template.name


def test_a_name_that_is_not_utf_8_can_be_written() -> None:
    assert storable(os.fsdecode(b"\xff.avi")).encode() == "\ufffd.avi".encode()
