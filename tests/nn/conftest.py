"""What these tests share: the kernels taken away, and PyTorch's number of threads."""

from collections.abc import Callable, Iterator

import pytest
import torch


@pytest.fixture
def no_kernels(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """no_kernels(): from here on everything is computed as where there is no compiler."""
    return lambda: monkeypatch.setattr("vidnas.nn.native.library._library", lambda _real: None)


@pytest.fixture
def set_threads() -> Iterator[Callable[[int], None]]:
    """set_threads(number): of PyTorch and of the kernels, until the end of the test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)
