"""What the verbs print of scores and costs."""

from dataclasses import replace

import pytest
import torch

from vidnas.report.text import accuracy_line, cost_line
from vidnas.training.profile import Profile
from vidnas.training.scores import score

PROFILE = Profile(300_000, 1_200_000, 20_000_000, 5.0, 0.1, 2, "cpu", 0.3)


@pytest.mark.parametrize(("threads", "said"), [(1, "cpu, 1 thread)"), (2, "cpu, 2 threads)")])
def test_a_cost_names_the_threads(threads: int, said: str) -> None:
    assert said in cost_line(replace(PROFILE, threads=threads), "8 frames of 64 x 64 px")


def test_a_latency_measured_on_a_busy_machine_is_marked_with_the_way_out() -> None:
    assert "usy machine" not in cost_line(PROFILE, "a clip")
    said = cost_line(replace(PROFILE, busy=True), "a clip")
    assert "5.0 ms" in said
    assert "Busy machine: other work had the machine, and the time is too long" in said
    assert "`vidnas evaluate` measures it again" in said


@pytest.mark.parametrize(("num_classes", "told"), [(4, False), (5, False), (6, True), (101, True)])
def test_top_5_is_told_only_where_it_can_be_wrong(num_classes: int, told: bool) -> None:
    labels = torch.arange(num_classes)
    scores = score(torch.eye(num_classes), labels, [str(label) for label in labels.tolist()])
    assert ("top-" in accuracy_line(scores, "one clip").replace("top-1 ", "")) == told


def test_one_group_of_one_video_is_in_the_singular() -> None:
    said = accuracy_line(score(torch.eye(2)[:1], torch.zeros(1, dtype=torch.long), ["a"]), "one clip")
    assert "over 1 group)" in said
    assert "1 video; protocol: one clip." in said
