"""Memory that will not suffice: told before the first step, with flags that help; or when it is gone."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from vidnas.training import memory
from vidnas.training.forecast import Needs

Refused = Callable[..., str]
OnData = Callable[..., tuple[object, ...]]
Vidnas = Callable[..., tuple[int, str, str]]

VERBS = pytest.mark.parametrize("verb", ["search", "train"])


@pytest.fixture
def room_for_three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three clips fit into memory, but not four, as soon as it has been measured once how large one is."""
    measure = memory.activation_bytes
    first: list[int] = []

    def measured(*arguments: object) -> int:
        needed = measure(*arguments)  # type: ignore[arg-type]
        first.append(needed)
        return needed

    monkeypatch.setattr(memory, "activation_bytes", measured)
    monkeypatch.setattr(memory, "free_bytes", lambda _: 3 * first[0] if first else 0)


@pytest.mark.usefixtures("room_for_three")
@pytest.mark.parametrize(
    ("verb", "flag", "value"),
    [
        ("search", "--batch-size", 3),
        ("search", "--stem-stride", 2),
        ("train", "--batch-size", 3),
        ("train", "--accumulate", 2),
    ],
)
def test_the_advice_helps(
    verb: str, flag: str, value: int, refused: Refused, vidnas: Vidnas, on_data: OnData, few_videos: Path
) -> None:
    """Four clips are too many; what the message advises makes the same command run."""
    command = (*on_data(verb, few_videos), "--stem-stride", 1)
    names = ("A step on 4 clips of 4 x 16 x 16 needs", "GiB of memory are free. Use", flag)
    for _ in ("nothing is free", "room for three"):
        refused(*command, names=names)
    code, _, err = vidnas(*command, flag, value)
    assert code == 0, err


@VERBS
def test_advice_that_is_not_enough_is_refused_again(
    verb: str, refused: Refused, on_data: OnData, few_videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda _: 1000)
    refused(*on_data(verb, few_videos), "--batch-size", 1, names=("A step on 1 clip of", "--stem-stride 2"))


@VERBS
@pytest.mark.parametrize(
    "size",
    [("--size-px", 10**6), ("--size-px", 10**9), ("--batch-size", 10**12)],
)
def test_what_no_machine_has(
    verb: str, size: tuple[str, int], refused: Refused, on_data: OnData, few_videos: Path
) -> None:
    refused(*on_data(verb, few_videos), *size, names=("memory", "--batch-size"))


GONE = (
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: you tried"),
)


STEPS = {
    "search": "vidnas.nas.methods.darts.Architect.step",
    "train": "vidnas.training.loop.WeightStep.__call__",
}


@pytest.mark.parametrize("error", GONE, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("use", ["search", "train", "evaluate", "predict"])
def test_memory_that_is_gone_after_all(
    use: str,
    error: Exception,
    vidnas: Vidnas,
    on_data: OnData,
    on_run: OnData,
    few_videos: Path,
    a_run: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    needs = Needs(step_sec=1.0, clip_sec=1.0, memory_bytes=1, free_bytes=2)  # its steps on trial went well
    monkeypatch.setattr("vidnas.training.forecast.measure", lambda *_, **__: needs)
    step = STEPS | {
        "evaluate": "vidnas.verbs.evaluate.evaluate_epoch",
        "predict": "vidnas.assembly.classifier.Classifier.classify",
    }
    monkeypatch.setattr(step[use], fail)
    command = on_data(use, few_videos) if use in ("search", "train") else on_run(use, a_run)
    code, _, err = vidnas(*command)
    assert code == 1
    assert (
        err.strip()
        .splitlines()[-1]
        .startswith("vidnas: The memory did not suffice. Use a smaller --batch-size")
    )


@VERBS
def test_memory_that_is_gone_on_trial(
    verb: str, refused: Refused, on_data: OnData, few_videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps that the forecast is made from run before there is a run folder."""

    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(STEPS[verb], fail)
    refused(*on_data(verb, few_videos), names=("The memory did not suffice.", "--batch-size"))
