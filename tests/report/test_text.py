"""What the verbs print of scores."""

import pytest
import torch

from vidnas.report.text import accuracy_line
from vidnas.training.scores import score


@pytest.mark.parametrize(("num_classes", "told"), [(4, False), (5, False), (6, True), (101, True)])
def test_top_5_is_told_only_where_it_can_be_wrong(num_classes: int, told: bool) -> None:
    labels = torch.arange(num_classes)
    scores = score(torch.eye(num_classes), labels, [str(label) for label in labels.tolist()])
    assert ("top-" in accuracy_line(scores, "one clip").replace("top-1 ", "")) == told


def test_one_group_of_one_video_is_in_the_singular() -> None:
    said = accuracy_line(score(torch.eye(2)[:1], torch.zeros(1, dtype=torch.long), ["a"]), "one clip")
    assert "over 1 group)" in said
    assert "1 video; protocol: one clip." in said
