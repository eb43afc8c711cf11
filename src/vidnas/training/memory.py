"""Whether a training step will fit into memory; what this process holds on a device, and has held at most.

On a CPU it holds what lies in physical memory, as Linux counts it: whatever uses memory is in it, whether or
not PyTorch knows of it. On CUDA it is what PyTorch has allocated. Elsewhere the peak cannot be told.
"""

import ctypes
import os
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor, nn

from vidnas.errors import UserError, counted
from vidnas.training import cgroups

GIB = 2**30
MEMINFO = Path("/proc/meminfo")
STATUS = Path("/proc/self/status")
COUNT_ANEW = Path("/proc/self/clear_refs")
"""Writing 5 into it sets VmHWM, the peak of VmRSS, back to its present value (man proc_pid_clear_refs)."""


def check_memory(
    model: nn.Module, clip_shape: tuple[int, ...], clips_at_once: int, device: torch.device, remedy: str
) -> None:
    """UserError if the activations of `clips_at_once` clips exceed the free memory; `remedy` is its way out.

    `clip_shape` is that of a batch of one clip. Where the free memory is unknown nothing is checked.
    """
    free = free_bytes(device)
    needed = activation_bytes(model, clip_shape, device) * clips_at_once
    if free is not None and needed > free:
        raise UserError(
            f"A step on {counted(clips_at_once, 'clip')} of {' x '.join(map(str, clip_shape[2:]))} needs "
            f"about {needed / GIB:.1f} GiB for activations; {free / GIB:.1f} GiB of memory are free. {remedy}"
        )


def activation_bytes(model: nn.Module, clip_shape: tuple[int, ...], device: torch.device) -> int:
    """Bytes that autograd keeps for the backward pass of one clip, each piece of memory counted once."""
    kept: dict[int, torch.UntypedStorage] = {}  # held, so that no two pieces have one address
    parameters = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            kept[storage.data_ptr()] = storage
        return tensor

    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    # Two clips: batch norm refuses to normalise single values.
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model(torch.zeros(2, *clip_shape[1:], device=device))
    for name, buffer in model.named_buffers():
        buffer.copy_(buffers[name])
    return sum(storage.nbytes() for storage in kept.values()) // 2


def free_bytes(device: torch.device) -> int | None:
    """Memory that this process can still have on the device; None where the system does not tell.

    On Linux no more than its container or its job of a cluster leaves it.
    """
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type != "cpu":
        return None
    if MEMINFO.exists():
        free, left = _entry(MEMINFO, "MemAvailable"), cgroups.left_bytes()
        return free if left is None else min(free, left)
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return None


def can_tell_peak(device: torch.device) -> bool:
    """Whether the functions below work for the device on this system."""
    if device.type != "cpu":
        return device.type == "cuda"
    try:
        count_anew(device)
        _entry(STATUS, "VmHWM")
    except (OSError, KeyError):
        return False
    return True


def count_anew(device: torch.device) -> None:
    """The peak is counted from now on."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    else:
        COUNT_ANEW.write_text("5")


def peak_bytes(device: torch.device) -> int:
    """The most that was held at once since the last `count_anew`."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else _entry(STATUS, "VmHWM")


def held_bytes(device: torch.device) -> int:
    """What is held now, after all that is free has been given back to the system."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        return torch.cuda.memory_allocated(device)
    # glibc keeps freed memory for later; other C libraries have no such call and keep less.
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    return _entry(STATUS, "VmRSS")


def _entry(file: Path, name: str) -> int:
    """Bytes, from a file of lines like "VmRSS: 100 kB"."""
    lines = dict(line.split(":", 1) for line in file.read_text().splitlines())
    return int(lines[name].split()[0]) * 1024
