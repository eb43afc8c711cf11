"""Whether a training step will fit into memory, measured before the first one."""

import os
from pathlib import Path

import torch
from torch import Tensor, nn

from vidnas.errors import UserError, counted

GIB = 2**30


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
    """Memory that a process can still have on the device; None where the system does not tell."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type != "cpu":
        return None
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
        return int(lines["MemAvailable"].split()[0]) * 1024
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return None
