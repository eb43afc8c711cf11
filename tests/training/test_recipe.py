"""The recipe: the schedule, blended clips, averaged weights."""

import math

import pytest
import torch
from torch import nn

from vidnas.training.loop import Precision, Tally, WeightStep
from vidnas.training.recipe import Blend, averaged, balancing_weights, blend, warmed_cosine


def rates(num_steps: int, warmup: float) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 2.0)
    schedule = warmed_cosine(optimizer, num_steps=num_steps, warmup=warmup)
    found = []
    for _ in range(num_steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


def test_without_warm_up_the_rate_is_torch_s_cosine() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 2.0)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    expected = []
    for _ in range(10):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        cosine.step()
    assert rates(10, 0.0) == pytest.approx(expected)


def test_a_warm_up_rises_linearly_to_the_highest_rate_and_falls_from_there() -> None:
    found = rates(20, 0.25)
    assert found[:5] == pytest.approx([0.4, 0.8, 1.2, 1.6, 2.0])
    assert found[5] == pytest.approx(2.0)
    assert found[5:] == sorted(found[5:], reverse=True)
    assert found[-1] == pytest.approx(1 + math.cos(math.pi * 14 / 15))


def test_a_warm_up_of_less_than_a_step_is_none() -> None:
    assert rates(10, 0.05)[0] == 2.0


def some_clips() -> torch.Tensor:
    return torch.arange(4.0)[:, None, None, None, None].expand(4, 3, 5, 16, 20).clone()


def test_mixup_averages_each_clip_with_its_partner() -> None:
    torch.manual_seed(3)
    clips = some_clips()
    mixed = blend(clips, "mixup")
    assert 0 < mixed.share < 1
    torch.testing.assert_close(mixed.videos, mixed.share * clips + (1 - mixed.share) * clips[mixed.partner])


def test_cutmix_pastes_one_box_that_is_the_same_in_every_frame() -> None:
    for seed in range(30):
        torch.manual_seed(seed)
        clips = some_clips()
        mixed = blend(clips, "cutmix")
        own, partner = clips, clips[mixed.partner]
        assert torch.equal(mixed.videos, mixed.videos[:, :, :1].expand_as(clips))
        assert ((mixed.videos == own) | (mixed.videos == partner)).all()
        foreign = mixed.videos[:, 0, 0] != own[:, 0, 0]
        swapped = mixed.partner != torch.arange(4)
        for i in torch.nonzero(swapped).flatten().tolist():
            rows, columns = foreign[i].any(1), foreign[i].any(0)
            assert foreign[i].sum() == rows.sum() * columns.sum()
            assert mixed.share == pytest.approx(1 - float(foreign[i].float().mean()))


def test_blending_follows_torch_s_generator_and_leaves_the_batch_as_it_is() -> None:
    clips = some_clips()
    torch.manual_seed(1)
    first = blend(clips, "cutmix")
    torch.manual_seed(1)
    second = blend(clips, "cutmix")
    assert torch.equal(first.videos, second.videos)
    assert torch.equal(clips, some_clips())


def test_the_loss_of_a_blend_is_that_of_soft_targets() -> None:
    logits, labels = torch.randn(4, 3), torch.tensor([0, 2, 1, 1])
    partner = torch.tensor([1, 0, 3, 2])
    found = Blend(some_clips(), partner, 0.7).loss(logits, labels, 0.1)
    targets = 0.7 * nn.functional.one_hot(labels, 3) + 0.3 * nn.functional.one_hot(labels[partner], 3)
    expected = nn.functional.cross_entropy(logits, targets, label_smoothing=0.1)
    torch.testing.assert_close(found, expected)


def test_a_class_weighs_the_more_the_rarer_it_is_and_a_clip_1_in_the_mean() -> None:
    labels = [0] * 8 + [1] * 2 + [3] * 2
    weights = balancing_weights(labels, 4)
    torch.testing.assert_close(weights, torch.tensor([0.5, 2.0, 0.0, 2.0]))
    assert float(weights[labels].mean()) == pytest.approx(1)
    assert balancing_weights([0, 1, 2], 3).tolist() == [1, 1, 1]


def test_the_weighted_loss_of_a_blend_is_that_of_torch_s_weighted_soft_targets() -> None:
    """Which torch divides by the number of clips, and of labels by the sum of their weights."""
    torch.manual_seed(0)
    logits, labels, partner = torch.randn(4, 3), torch.tensor([0, 2, 1, 1]), torch.tensor([1, 0, 3, 2])
    weights = torch.tensor([0.5, 2.0, 1.5])
    found = Blend(some_clips(), partner, 0.7).loss(logits, labels, 0.1, weights)
    targets = 0.7 * nn.functional.one_hot(labels, 3) + 0.3 * nn.functional.one_hot(labels[partner], 3)
    of_soft = nn.CrossEntropyLoss(weights, label_smoothing=0.1, reduction="sum")(logits, targets)
    torch.testing.assert_close(found, of_soft / weights[labels].sum())


class Shade(nn.Module):
    """A network that knows a clip's mean alone, with a norm."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm3d(3)
        self.linear = nn.Linear(3, 2)

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.linear(self.norm(video).mean(dim=(2, 3, 4))))


def step_of(network: nn.Module, *, decay: float) -> WeightStep:
    weights = list(network.parameters())
    sgd = torch.optim.SGD(weights, 0.5)
    schedule = warmed_cosine(sgd, num_steps=100, warmup=0.0)
    average = averaged(network, decay) if decay else None
    return WeightStep(network, weights, sgd, schedule, Precision(torch.device("cpu")), average=average)


def test_the_average_is_that_of_the_weights_after_every_step_and_of_the_statistics() -> None:
    torch.manual_seed(0)
    network = Shade()
    step = step_of(network, decay=0.75)
    expected: dict[str, torch.Tensor] = {}
    for _ in range(4):
        step(torch.randn(4, 3, 2, 4, 4), torch.tensor([0, 1, 0, 1]), Tally())
        for name, value in network.state_dict().items():
            before = expected.get(name, value)
            expected[name] = (0.75 * before + 0.25 * value) if value.is_floating_point() else value
    found = step.tested.state_dict()
    assert step.tested is not network
    for name in ("linear.weight", "norm.running_mean", "norm.running_var"):
        torch.testing.assert_close(found[name], expected[name])
    assert not torch.equal(found["linear.weight"], network.linear.weight)


def test_without_an_average_the_network_itself_is_tested() -> None:
    network = Shade()
    assert step_of(network, decay=0.0).tested is network
