"""How much memory this process holds on a device, and the most that it held since the counting began.

On a CPU this is what lies in physical memory, as Linux counts it: whatever uses memory is in it, whether or
not PyTorch knows of it. On CUDA it is what PyTorch has allocated. Elsewhere the peak cannot be told.
"""

import ctypes
from contextlib import suppress
from pathlib import Path

import torch

STATUS = Path("/proc/self/status")
COUNT_ANEW = Path("/proc/self/clear_refs")
"""Writing 5 into it sets VmHWM, the peak of VmRSS, back to its present value (man proc_pid_clear_refs)."""


def can_tell(device: torch.device) -> bool:
    """Whether the functions below work for the device on this system."""
    if device.type != "cpu":
        return device.type == "cuda"
    try:
        count_anew(device)
        _status("VmHWM")
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
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else _status("VmHWM")


def held_bytes(device: torch.device) -> int:
    """What is held now, after all that is free has been given back to the system."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        return torch.cuda.memory_allocated(device)
    # glibc keeps freed memory for later; other C libraries have no such call and keep less.
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    return _status("VmRSS")


def _status(name: str) -> int:
    lines = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
    return int(lines[name].split()[0]) * 1024
