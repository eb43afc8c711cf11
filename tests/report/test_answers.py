import csv
import io
import os
from pathlib import Path

import pytest
import torch

from vidnas.report.answers import COLUMNS, Answer, answers_csv, name_answers, surest
from vidnas.training.loop import Predictions
from vidnas.video.items import Item

CLASSES = ('with "quotes", commas', "two\nlines", "héron 鷺", "score")
PATHS = [
    Path(os.fsdecode(name))
    for name in (b"a,b.avi", b'"c".avi', b"d\ne.avi", b"\xff\xfe.avi", "é.avi".encode())
]
PROBABILITIES = [
    [0.7, 0.1, 0.1, 0.1],
    [0.1, 0.2, 0.3, 0.4],
    [0.25, 0.25, 0.25, 0.25],
    [0.0, 1.0, 0.0, 0.0],
    [0.1, 0.1, 0.2, 0.6],
]
LABELS = [0, 2, 1, 1, 3]


@pytest.fixture
def answers() -> list[Answer]:
    scores, labels = torch.tensor(PROBABILITIES).log(), torch.tensor(LABELS)
    items = [Item(path, LABELS[i], f"g{i}" if i else None) for i, path in enumerate(PATHS)]
    return name_answers(Predictions(scores, labels, torch.arange(len(items))), items, CLASSES)


def test_an_answer_is_the_likeliest_class_and_of_equal_ones_the_lower(answers: list[Answer]) -> None:
    assert [CLASSES.index(one.predicted) for one in answers] == [0, 3, 0, 1, 3]
    assert [CLASSES.index(one.label) for one in answers] == LABELS
    assert [one.right for one in answers] == [True, False, False, True, True]
    assert [one.score for one in answers] == pytest.approx([0.7, 0.4, 0.25, 1.0, 0.6])


def test_the_table_reads_back_whatever_the_names_hold(answers: list[Answer]) -> None:
    text = answers_csv(answers, CLASSES).decode("utf-8", "surrogateescape")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert list(rows[0]) == [*COLUMNS, *(f"p({name})" for name in CLASSES)]
    assert [Path(row["path"]) for row in rows] == PATHS
    assert [row["group"] for row in rows] == ["", "g1", "g2", "g3", "g4"]
    assert [(row["label"], row["predicted"]) for row in rows] == [(a.label, a.predicted) for a in answers]
    assert [row["right"] for row in rows] == ["true", "false", "false", "true", "true"]
    for row, expected in zip(rows, PROBABILITIES, strict=True):
        assert [float(row[f"p({name})"]) for name in CLASSES] == pytest.approx(expected)
        assert float(row["score"]) == pytest.approx(max(expected))


def test_the_bytes_of_a_name_that_is_not_utf_8_stay(answers: list[Answer]) -> None:
    assert b"\xff\xfe.avi,g3," in answers_csv(answers, CLASSES)


def test_the_surest_come_first_and_only_as_many_as_asked_for(answers: list[Answer]) -> None:
    assert [one.score for one in surest(answers, right=True, most=2)] == pytest.approx([1.0, 0.7])
    assert [one.score for one in surest(answers, right=False, most=8)] == pytest.approx([0.4, 0.25])
