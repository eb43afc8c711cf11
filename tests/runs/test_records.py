import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from vidnas.errors import UserError
from vidnas.nas.primitives import PRIMITIVES
from vidnas.runs.records import read_cell, read_metrics, read_test

MakeRun = Callable[..., Path]


def test_metrics_come_by_kind_in_the_order_of_epochs(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text(
        '{"kind": "train", "epoch": 2, "loss": 1}\n{"kind": "train", "epoch": 1, "loss": null, "lr": 0.1}\n'
        '{"kind": "test", "epoch": 2, "top1": 0.5}\n{"kind": "train", "epoch": 2, "loss": 0.5}\n'
    )
    assert read_metrics(path) == {
        "train": [{"epoch": 1, "lr": 0.1}, {"epoch": 2, "loss": 0.5}],
        "test": [{"epoch": 2, "top1": 0.5}],
    }


def test_whatever_is_cut_off_or_damaged_is_no_line(tmp_path: Path) -> None:
    """Cut anywhere: a run in progress may be seen in the middle of writing a line."""
    path = tmp_path / "metrics.jsonl"
    good = b'{"kind": "train", "epoch": 1, "loss": 0.5}'
    for end in range(len(good)):
        path.write_bytes(good + b"\n" + good.replace(b"1", b"2")[:end])
        assert read_metrics(path) == {"train": [{"epoch": 1, "loss": 0.5}]}
    path.write_bytes(b'\xff\x00\n[1]\n{"kind": "train"}\n{"epoch": true}\n' + b"[" * 100_000 + b"\n" + good)
    assert read_metrics(path) == {"train": [{"epoch": 1, "loss": 0.5}]}


def test_a_run_before_its_first_epoch_has_no_metrics(tmp_path: Path) -> None:
    assert read_metrics(tmp_path / "metrics.jsonl") == {}


def test_mixing_is_the_softmax_of_alpha(make_search: MakeRun) -> None:
    run = make_search()
    alpha = json.loads((run / "alphas/epoch-002.json").read_text())["alpha"]
    for row, mixing in zip(alpha, read_cell(run, 2).mixing, strict=True):
        assert sum(mixing) == pytest.approx(1)
        assert [math.log(share / mixing[0]) for share in mixing] == pytest.approx([a - row[0] for a in row])


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"alpha": 3}', '{"alpha": [[1, 2]]}', '{"alpha": [["a"]]}', '{"alpha": [[]]}'],
)
def test_a_damaged_alpha_is_a_problem_that_names_the_file(make_search: MakeRun, content: str) -> None:
    run = make_search()
    (run / "alphas/epoch-002.json").write_text(content)
    with pytest.raises(UserError, match=r"epoch-002\.json"):
        read_cell(run, 2)


def test_a_cell_without_alpha_is_a_cell(make_search: MakeRun) -> None:
    run = make_search()
    (run / "alphas/epoch-002.json").unlink()
    assert read_cell(run, 2).mixing == ()
    assert len(read_cell(run, 1).mixing[0]) == len(PRIMITIVES)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("scores", "top1"), None),
        (("scores", "top1"), "high"),
        (("scores", "interval"), [0.1]),
        (("scores", "per_class"), []),
        (("scores", "confusion"), [[1]]),
        (("scores", "confusion"), [[1, 2, "x"]] * 3),
        (("scores", "top1"), math.nan),
        (("cost", "parameters"), None),
    ],
)
def test_a_damaged_result_is_a_problem_that_names_the_file(
    make_training: MakeRun, where: tuple[str, str], value: object
) -> None:
    path = make_training() / "result.json"
    assert read_test(path, "videos").data == "videos"
    record = json.loads(path.read_text())
    record[where[0]][where[1]] = value
    path.write_text(json.dumps(record))
    with pytest.raises(UserError, match=r"result\.json"):
        read_test(path, "videos")


def test_a_result_of_an_older_version_reads_the_same(make_training: MakeRun) -> None:
    """Balanced accuracy was called mean_class there."""
    path = make_training() / "result.json"
    present = read_test(path, "videos")
    record = json.loads(path.read_text())
    record["scores"]["mean_class"] = record["scores"].pop("balanced_accuracy")
    path.write_text(json.dumps(record))
    assert read_test(path, "videos") == present
    del record["scores"]["mean_class"]
    path.write_text(json.dumps(record))
    with pytest.raises(UserError, match="balanced_accuracy"):
        read_test(path, "videos")


@pytest.mark.parametrize("content", ["", "[]", "3", "{}", '{"scores": {}}'])
def test_what_is_no_result_is_a_problem(tmp_path: Path, content: str) -> None:
    (tmp_path / "result.json").write_text(content)
    with pytest.raises(UserError, match=r"result\.json"):
        read_test(tmp_path / "result.json", "videos")


def test_no_file_but_a_jpeg_gets_into_a_page_as_a_thumbnail(
    add_evaluation: MakeRun, make_training: MakeRun
) -> None:
    run = make_training()
    path = add_evaluation(run)
    assert len(read_test(path, "").clips) == 4
    (run / "evaluation-paper-clips/right-1.jpg").unlink()
    (run / "evaluation-paper-clips/wrong-1.jpg").write_text("a secret")
    assert [(clip.right, clip.score) for clip in read_test(path, "").clips] == [(True, 0.8), (False, 0.8)]
