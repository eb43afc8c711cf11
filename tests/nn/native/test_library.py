"""The kernels' library: when it is compiled and when not, where it is kept, how its work is shared."""

import ctypes
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from vidnas.nas.network import Supernet
from vidnas.nn.native import calls, library, team
from vidnas.nn.native.calls import Argument, Library, PerThread, Prototype
from vidnas.nn.native.gradients import Sums
from vidnas.nn.native.library import kernels, loaded_kernels
from vidnas.nn.pooling import avg_pool, max_pool

FRAMES = torch.randn(2, 3, 2, 5, 6, generator=torch.Generator().manual_seed(0))


class NoNumbers(Tensor):
    """What stands for a tensor while something is traced."""


FAKE_COMPILER = """#!/bin/sh
case "$*" in *-dM*) echo "#define MACHINE $MACHINE"; exit;; esac
echo "$@" >> "$0.log"
while [ "$1" != -o ]; do shift; done
echo compiled > "$2"
"""


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache, and nothing loaded yet."""
    monkeypatch.setattr("platformdirs.user_cache_path", lambda _name: tmp_path / "cache")
    library._library.cache_clear()
    yield tmp_path / "cache" / "kernels"
    library._library.cache_clear()


@pytest.fixture
def fake_compiler(fresh: Path) -> Path:
    """A compiler that writes its command lines into a log beside it."""
    path = fresh.parents[1] / "my cc"
    path.write_text(FAKE_COMPILER)
    path.chmod(0o755)
    return path


def log_of(compiler: Path) -> list[str]:
    return Path(f"{compiler}.log").read_text().splitlines()


# When there is one


def test_it_is_compiled_at_first_use_for_this_machine_and_kept(
    fresh: Path, fake_compiler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [str(fake_compiler), "-DREAL=float"]
    made = library.compiled(command)
    assert made.parent == fresh and made.read_text() == "compiled\n"
    assert library.compiled(command) == made and len(log_of(fake_compiler)) == 1
    assert {path.stem for path in fresh.iterdir()} == {made.stem}, "no half file is left"
    others = [library.compiled([str(fake_compiler), "-DREAL=double"])]
    monkeypatch.setenv("MACHINE", "another")
    others.append(library.compiled(command))
    monkeypatch.setenv("MACHINE", "")
    monkeypatch.setattr(library, "SOURCE", fake_compiler.with_name("kernels.c"))
    for name in ("kernels.c", "a_part.c", "a_header.h"):
        fake_compiler.with_name(name).write_text("changed")
        others.append(library.compiled(command))
    assert len({made, *others}) == len(log_of(fake_compiler)) == 6


@pytest.mark.parametrize("damage", [b"", b"half of it", None])
def test_a_damaged_library_is_compiled_again(fake_compiler: Path, damage: bytes | None) -> None:
    """To load it would end the process."""
    command = [str(fake_compiler), "-DREAL=float"]
    made = library.compiled(command)
    if damage is None:
        made.with_suffix(library.DIGEST).unlink()
    else:
        made.write_bytes(damage)
    assert library.compiled(command).read_text() == "compiled\n" and len(log_of(fake_compiler)) == 2


def some_results() -> tuple[Tensor, ...]:
    torch.manual_seed(0)
    supernet = Supernet(3, num_cells=2, first_channels=2, num_nodes=2)
    video = torch.randn(2, 3, 2, 6, 6)
    return supernet(video).detach(), max_pool(FRAMES), avg_pool(FRAMES)


@pytest.fixture(scope="module")
def by_kernels() -> tuple[Tensor, ...]:
    assert kernels(FRAMES) is not None
    return some_results()


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("compiler", ["/nowhere/cc", "false", "true", "sh -c 'exit 1'"])
def test_without_a_compiler_that_works_pytorch_s_ops_give_the_same(
    compiler: str, by_kernels: tuple[Tensor, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", compiler)
    assert kernels(FRAMES) is None
    for found, true in zip(some_results(), by_kernels, strict=True):
        torch.testing.assert_close(found, true, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("value", ["0", "off", "FALSE"])
def test_it_can_be_switched_off(fresh: Path, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDNAS_NATIVE", value)
    assert kernels(FRAMES) is None and kernels(FRAMES.double()) is None
    assert not fresh.exists()


def test_the_compiler_named_by_cc_is_asked(fake_compiler: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = fake_compiler.rename(fake_compiler.with_name("cc"))
    monkeypatch.setenv("CC", f"{plain} --own-option")
    assert kernels(FRAMES) is None, "what it makes is no library"
    lines = log_of(plain)
    assert all("--own-option" in line and "-DREAL=float" in line for line in lines)
    assert ["-march=native" in line for line in lines] == [True, False, False], "then less is asked of it"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int64, torch.complex64])
def test_there_are_kernels_for_two_precisions_on_a_cpu(dtype: torch.dtype) -> None:
    assert kernels(FRAMES) is not None and kernels(FRAMES.double()) is not None
    assert kernels(FRAMES.to(dtype)) is None
    assert kernels(FRAMES, FRAMES.double()) is None
    assert kernels(FRAMES.to("meta")) is None
    assert kernels(FRAMES.as_subclass(NoNumbers)) is None and kernels(torch.nn.Parameter(FRAMES)) is not None


def test_kernels_leave_the_rounding_of_the_process_alone() -> None:
    for dtype in (torch.float32, torch.float64):
        max_pool(FRAMES.to(dtype))
    small = 1e-310
    assert small * 0.5 > 0
    assert torch.tensor(1e-310, dtype=torch.float64).mul(0.5) > 0
    assert torch.tensor(1e-40).mul(0.5) > 0
    pooled = avg_pool(torch.full((1, 1, 1, 3, 3), 1e-310, dtype=torch.float64))
    torch.testing.assert_close(pooled, torch.full_like(pooled, 1e-310), rtol=1e-6, atol=0)


# How work is shared


Work = Callable[[list[int], int, int], int]
KERNEL = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_ssize_t), ctypes.c_int, ctypes.c_int)


def share_out(work: Work, num_items: int, *slots: tuple[int, int]) -> None:
    """Share the items of a kernel that is written in Python."""
    kernel = KERNEL(lambda numbers, first, last: work(numbers[: len(slots)], first, last))
    numbers = [number for column in zip(*slots, strict=True) for number in column]
    arguments = (ctypes.c_ssize_t * len(numbers))(*numbers)
    team.share(loaded_kernels(FRAMES).code, kernel, num_items, ctypes.addressof(arguments), len(slots))


THREAD = PerThread(start=0, stride=1)
"""An argument that is the thread's number."""


@pytest.mark.parametrize("openmp", [True, False])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_every_item_is_done_once_in_parts_of_their_order(
    threads: int, openmp: bool, set_threads: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not openmp:
        monkeypatch.setattr(team, "_openmp", lambda: None)
    set_threads(threads)
    for num_items in (1, 2, 3, 7, 100):
        parts: dict[int, tuple[int, int]] = {}

        def work(numbers: list[int], first: int, last: int, parts: dict[int, tuple[int, int]] = parts) -> int:
            parts[numbers[0]] = first, last
            return 0

        share_out(work, num_items, THREAD)
        assert sorted(parts) == list(range(min(threads, num_items)))
        done = [i for thread in sorted(parts) for i in range(*parts[thread])]
        assert done == list(range(num_items))
        sizes = [last - first for first, last in parts.values()]
        assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("openmp", [True, False])
@pytest.mark.parametrize("threads", [1, 3])
def test_missing_memory_is_told(
    threads: int, openmp: bool, set_threads: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not openmp:
        monkeypatch.setattr(team, "_openmp", lambda: None)
    set_threads(threads)
    for failing in range(threads):
        with pytest.raises(MemoryError, match="Not enough memory"):
            share_out(lambda numbers, *_, failing=failing: int(numbers[0] == failing), 3, THREAD)


# What a kernel is given


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Work], Library]:
    """toy(parameters, work): a library of one kernel, written in Python, that takes these."""

    def make(parameters: str, work: Work) -> Library:
        declared = tuple(calls._parameter(one) for one in parameters.split(", "))
        code = loaded_kernels(FRAMES).code  # compiled for what the header declares
        monkeypatch.setattr(calls, "prototypes", lambda: {"toy": Prototype(declared, is_kernel=True)})
        kernel = KERNEL(lambda numbers, *items: work(numbers[: len(declared)], *items))
        monkeypatch.setattr(code, "do_toy", kernel, raising=False)
        return Library(code, FRAMES.dtype)

    return make


def test_a_kernel_is_given_addresses_numbers_and_each_thread_s_own(
    set_threads: Callable[[int], None], toy: Callable[[str, Work], Library]
) -> None:
    set_threads(2)
    given: list[tuple[list[int], list[int], list[int]]] = []
    sums = Sums(2, 5)

    def work(numbers: list[int], _first: int, _last: int) -> int:
        tensors = (ctypes.c_ssize_t * 2).from_address(numbers[-2])
        integers = (ctypes.c_ssize_t * 3).from_address(numbers[-1])
        given.append((numbers[:-2], list(tensors), list(integers)))
        return 0

    declared = (
        "const real *OR_NULL bias, int dilation, const real *x, double *sums, double *square_sums, "
        "const real *OR_NULL const *base, const intptr_t *slot"
    )
    arguments = None, -7, FRAMES, sums.at(0), sums.at(1), [FRAMES, None], (3, -1, True)
    toy(declared, work).share("toy", 2, *arguments)
    start, frames = sums.by_thread.data_ptr(), FRAMES.data_ptr()
    assert sorted(given) == [
        ([0, -7, frames, start + 8 * 10 * thread, start + 8 * 10 * thread + 8 * 5], [frames, 0], [3, -1, 1])
        for thread in (0, 1)
    ]


SUMS = Sums(2, 5)
WRONG: dict[str, tuple[Argument, ...]] = {
    "int height": (None, FRAMES, SUMS.at(), [3]),
    "const real *x": (None, 3, FRAMES.double(), FRAMES.int(), FRAMES.to("meta"), SUMS.at(), [FRAMES], []),
    "const real *OR_NULL x": (3, FRAMES.double()),
    "uint8_t *winner": (None, 3, FRAMES, FRAMES.int()),
    "double *sums": (None, 3, FRAMES, FRAMES.double()),
    "double *OR_NULL sums": (3, FRAMES.double()),
    "const real *const *g": (None, 3, FRAMES, [3], [FRAMES, None], [FRAMES, FRAMES.double()]),
    "const real *OR_NULL const *g": (None, [3]),
    "const intptr_t *slot": (None, 3, torch.tensor([3], dtype=torch.int32), [None], [FRAMES]),
}


@pytest.mark.parametrize("declared", WRONG)
def test_what_is_not_of_the_type_that_the_header_declares_is_an_error_and_no_call(
    declared: str, toy: Callable[[str, Work], Library]
) -> None:
    kernel = toy(f"{declared}, int width", lambda *_: pytest.fail("was called"))
    for argument in WRONG[declared]:
        with pytest.raises(TypeError, match=re.escape(f"toy takes '{declared}', not ")):
            kernel.share("toy", 1, argument, 3)
        with pytest.raises(TypeError, match="toy takes 2 arguments and was given 1"):
            kernel.share("toy", 1, argument)


def test_a_tensor_that_is_not_contiguous_is_an_error(toy: Callable[[str, Work], Library]) -> None:
    with pytest.raises(ValueError, match="not contiguous"):
        toy("const real *x", lambda *_: pytest.fail("was called")).share("toy", 1, FRAMES.transpose(0, 1))


@pytest.mark.parametrize("name", calls.prototypes())
def test_every_function_in_the_header_minds_how_much_it_is_given(name: str) -> None:
    kernels, prototype = loaded_kernels(FRAMES), calls.prototypes()[name]
    for number in (len(prototype.parameters) - 1, len(prototype.parameters) + 1):
        arguments = (1,) * number
        with pytest.raises(
            TypeError, match=f"{name} takes {len(prototype.parameters)} arguments and was given"
        ):
            if prototype.is_kernel:
                kernels.share(name, 1, *arguments)
            else:
                kernels.count(name, *arguments)


def test_the_header_and_the_kernels_cannot_declare_different_things(tmp_path: Path) -> None:
    """C's compiler compares them."""
    sources = Path(shutil.copytree(library.SOURCE.parent, tmp_path / "native"))
    header = sources / "kernels.h"
    command = ["cc", "-fsyntax-only", "-DREAL=float", str(sources / "kernels.c")]
    subprocess.run(command, check=True)
    header.write_text(
        header.read_text().replace(
            "const intptr_t *channels, int num, int height", "const intptr_t *channels, real *num, int height"
        )
    )
    failed = subprocess.run(command, capture_output=True, text=True)
    assert failed.returncode and "conflicting types" in failed.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system knows no fork")
def test_a_forked_process_computes_on() -> None:
    """A process that has computed on a pool's threads is forked; they do not live on in the child."""
    code = """
import os, torch
from vidnas.nn.native import team
from vidnas.nn.pooling import max_pool
team._openmp = lambda: None
torch.set_num_threads(2)
frames = torch.randn(2, 3, 2, 5, 6)
before = max_pool(frames)
child = os.fork()
if child == 0:
    os._exit(0 if torch.equal(max_pool(frames), before) else 1)
assert os.waitpid(child, 0)[1] == 0
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, env=os.environ)
