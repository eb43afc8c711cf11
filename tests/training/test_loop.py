"""The loops over batches."""

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from vidnas.training.loop import Precision, Tally, WeightStep, best_precision, evaluate_epoch, train_epoch
from vidnas.training.recipe import Mix, balancing_weights
from vidnas.training.scores import score
from vidnas.video.clips.transforms import normalize

CPU = Precision(torch.device("cpu"))
WEIGHTS = torch.tensor([0.25, 1.0, 4.0, 2.0])
Batches = list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]


class Linear(nn.Module):
    """A clip's mean colour, then a linear layer: no batch norm, so that parts of a batch are independent."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 4)

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.linear(video.mean(dim=(2, 3, 4)))
        return logits


def batches(num: int, *, size: int = 6) -> Batches:
    generator = torch.Generator().manual_seed(0)
    return [
        (
            torch.randn(size, 3, 2, 4, 4, generator=generator),
            torch.randint(0, 4, (size,), generator=generator),
            torch.arange(size),
        )
        for _ in range(num)
    ]


def train(step: WeightStep, given: Batches) -> Tally:
    """An epoch of these batches."""
    tally = Tally()
    train_epoch(step, given, tally, after_step=lambda: None)
    return tally


def make_step(
    *, precision: Precision = CPU, accumulate: int = 1, grad_clip: float | None = None, **more: Any
) -> WeightStep:
    torch.manual_seed(0)
    model = Linear()
    weights = list(model.parameters())
    sgd = torch.optim.SGD(weights, 0.5, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, 10)
    return WeightStep(
        model, weights, sgd, schedule, precision, accumulate=accumulate, grad_clip=grad_clip, **more
    )


def test_an_epoch_steps_as_plain_pytorch_does() -> None:
    step, plain = make_step(), make_step()
    tally = train(step, batches(3))
    losses = []
    for videos, labels, _ in batches(3):
        loss = F.cross_entropy(plain.model(videos), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        plain.optimizer.step()
        plain.optimizer.zero_grad()
        plain.schedule.step()
        losses.append(loss.item())
    assert tally.loss == pytest.approx(sum(losses) / 3)
    assert tally.num_clips == 18
    for ours, theirs in zip(step.weights, plain.weights, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_every_step_is_told_when_it_is_taken_and_counted_in_the_tally_that_an_epoch_goes_on_from() -> None:
    step, tally, seen = make_step(), Tally(num_clips=6, loss_sum=60.0), []
    train_epoch(step, batches(3), tally, after_step=lambda: seen.append((tally.num_clips, step.lr)))
    assert [clips for clips, _ in seen] == [12, 18, 24]
    assert [lr for _, lr in seen] == [
        pytest.approx(0.25 * (1 + math.cos(math.pi * n / 10))) for n in (1, 2, 3)
    ]
    alone = train(make_step(), batches(3))
    assert tally.loss == pytest.approx((60.0 + alone.loss_sum) / 24)


def test_an_epoch_is_trained_in_training_mode_whatever_was_before() -> None:
    step = make_step()
    step.model.eval()
    train(step, batches(1))
    assert step.model.training


def test_the_learning_rate_falls_at_every_step() -> None:
    step = make_step()
    train(step, batches(4))
    assert step.lr == pytest.approx(0.5 * (1 + math.cos(math.pi * 4 / 10)) / 2)


@pytest.mark.parametrize("accumulate", [2, 4, 6])
def test_parts_of_a_batch_add_up_to_the_whole_even_when_they_are_uneven(accumulate: int) -> None:
    whole, parts = make_step(), make_step(accumulate=accumulate)
    whole_tally, parts_tally = train(whole, batches(2)), train(parts, batches(2))
    assert parts_tally.loss == pytest.approx(whole_tally.loss)
    for ours, theirs in zip(parts.weights, whole.weights, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_with_class_weights_an_epoch_steps_as_torch_s_weighted_loss_does(smoothing: float) -> None:
    step, plain = make_step(class_weights=WEIGHTS, label_smoothing=smoothing), make_step()
    loss_of = nn.CrossEntropyLoss(WEIGHTS, label_smoothing=smoothing)
    train(step, batches(3))
    for videos, labels, _ in batches(3):
        loss_of(plain.model(videos), labels).backward()
        plain.optimizer.step()
        plain.optimizer.zero_grad()
        plain.schedule.step()
    for ours, theirs in zip(step.weights, plain.weights, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("accumulate", [2, 4])
def test_parts_of_a_weighted_batch_add_up_to_the_whole(accumulate: int) -> None:
    """Though one part may hold the rare classes, and another the frequent ones."""
    whole = make_step(class_weights=WEIGHTS)
    parts = make_step(class_weights=WEIGHTS, accumulate=accumulate)
    train(whole, batches(2))
    train(parts, batches(2))
    for ours, theirs in zip(parts.weights, whole.weights, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("mix", ["none", "mixup", "cutmix"])
def test_equal_class_weights_change_nothing(mix: Mix) -> None:
    weighted, plain = make_step(class_weights=torch.ones(4), mix=mix), make_step(mix=mix)
    tallies = []
    for step in (weighted, plain):
        torch.manual_seed(1)
        tallies.append(train(step, batches(2)))
    assert tallies[0].loss == pytest.approx(tallies[1].loss)
    for ours, theirs in zip(weighted.weights, plain.weights, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_class_weights_work_in_mixed_precision() -> None:
    mixed = make_step(precision=Precision(torch.device("cpu"), torch.bfloat16), class_weights=WEIGHTS)
    exact = make_step(class_weights=WEIGHTS)
    assert train(mixed, batches(3)).loss == pytest.approx(train(exact, batches(3)).loss, rel=0.05)


def test_balancing_weights_raise_balanced_accuracy_where_classes_are_uneven_and_alike() -> None:
    """Twenty clips of one class to one of the other, whose colours overlap."""
    generator = torch.Generator().manual_seed(0)
    labels = (torch.arange(420) % 21 == 0).long()
    colours = labels[:, None] * torch.tensor([1.0, 0, 0]) + torch.randn(420, 3, generator=generator)
    videos = colours[:, :, None, None, None].expand(-1, -1, 2, 4, 4)
    found = {}
    for name, weights in (("plain", None), ("balanced", balancing_weights(labels.tolist(), 4))):
        step = make_step(class_weights=weights)
        train(step, [(videos, labels, torch.arange(420))] * 40)
        with torch.no_grad():
            found[name] = score(step.model(videos), labels, [str(i) for i in range(420)])
    assert found["plain"].balanced_accuracy < 0.55 < 0.65 < found["balanced"].balanced_accuracy
    assert found["plain"].top1 > found["balanced"].top1


def test_the_gradient_is_clipped_before_the_step() -> None:
    step = make_step(grad_clip=1e-3)
    before = [weight.detach().clone() for weight in step.weights]
    train(step, batches(1))
    moved = torch.stack([(b - w.detach()).square().sum() for b, w in zip(before, step.weights, strict=True)])
    assert moved.sum().sqrt().item() == pytest.approx(0.5 * 1e-3, rel=1e-3)


def test_only_the_given_weights_get_a_gradient() -> None:
    step = make_step()
    alpha = nn.Parameter(torch.ones(4))
    step.model.register_forward_hook(lambda _module, _args, output: output * alpha)
    train(step, batches(1))
    assert alpha.grad is None


def test_training_in_mixed_precision_follows_float32() -> None:
    mixed, exact = make_step(precision=Precision(torch.device("cpu"), torch.bfloat16)), make_step()
    mixed_tally, exact_tally = train(mixed, batches(3)), train(exact, batches(3))
    assert mixed_tally.loss == pytest.approx(exact_tally.loss, rel=0.05)
    assert mixed_tally.loss != exact_tally.loss
    assert all(weight.dtype is torch.float32 for weight in mixed.weights)


def test_gradients_are_scaled_in_float16_alone() -> None:
    assert not make_step(precision=Precision(torch.device("cpu"), torch.bfloat16)).scaler.is_enabled()
    assert make_step(precision=Precision(torch.device("cpu"), torch.float16)).scaler.is_enabled()


def test_a_cpu_computes_in_float32() -> None:
    assert best_precision(torch.device("cpu")).dtype is None


def test_a_tally_weighs_batches_by_their_clips() -> None:
    tally = Tally()
    tally.add(torch.eye(4), torch.arange(4), 1.0)
    tally.add(torch.eye(4)[:1], torch.tensor([2]), 6.0)
    assert tally.loss == pytest.approx(2.0)
    assert tally.accuracy == pytest.approx(4 / 5)


def views(num_views: int) -> Batches:
    generator = torch.Generator().manual_seed(1)
    return [
        (
            torch.randn(size, num_views, 3, 2, 4, 4, generator=generator),
            torch.arange(size),
            torch.arange(size),
        )
        for size in (4, 3)
    ]


@pytest.mark.parametrize("max_clips", [1, 5, 100])
def test_scores_are_the_log_of_the_views_mean_probability(max_clips: int) -> None:
    model = make_step().model
    predictions = evaluate_epoch(model, views(6), CPU, max_clips=max_clips)
    expected = [
        torch.stack([model(clips).softmax(dim=1) for clips in videos.unbind(dim=1)]).mean(dim=0).log()
        for videos, _, _ in views(6)
    ]
    torch.testing.assert_close(predictions.scores, torch.cat(expected))
    assert predictions.labels.tolist() == [0, 1, 2, 3, 0, 1, 2]


def test_the_score_of_one_view_is_its_log_softmax() -> None:
    model = make_step().model
    predictions = evaluate_epoch(model, views(1), CPU, max_clips=2)
    expected = torch.cat([model(videos[:, 0]).log_softmax(dim=1) for videos, _, _ in views(1)])
    torch.testing.assert_close(predictions.scores, expected)
    assert predictions.loss == pytest.approx(F.nll_loss(expected, predictions.labels).item())
    assert predictions.accuracy == pytest.approx(
        (expected.argmax(dim=1) == predictions.labels).float().mean().item()
    )


def test_evaluation_uses_the_running_statistics_and_keeps_them() -> None:
    model = nn.Sequential(nn.BatchNorm3d(3), Linear())
    model(torch.randn(8, 3, 2, 4, 4) * 3 + 1)
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    evaluate_epoch(model, views(1), CPU, max_clips=4)
    assert not model.training
    for name, buffer in model.named_buffers():
        assert torch.equal(buffer, before[name])


def test_pixels_are_normalised_where_they_are_computed_on_and_clips_are_left_alone() -> None:
    pixels = torch.randint(256, (2, 3, 4, 5, 6), dtype=torch.uint8)
    labels, indices = torch.zeros(2, dtype=torch.long), torch.arange(2)
    precision = Precision(torch.device("cpu"))
    videos, _ = precision.to_device((pixels, labels, indices))
    assert torch.equal(videos, normalize(pixels))
    again, _ = precision.to_device((videos, labels, indices))
    assert torch.equal(again, videos)
