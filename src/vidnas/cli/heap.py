"""What this process does with memory that it has freed; a program that calls vidnas decides that itself."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # glibc's malloc.h


def keep_freed_memory() -> None:
    """Let glibc keep what is freed, blocks of up to 1 GiB, for the next step asks for the same again.

    Those above 32 MiB it would give back to the system, and to get them anew, page by page and zeroed, takes
    longer than to compute what they hold. The process stays as large as it was at its peak.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, 1 << 30)
        mallopt(M_TRIM_THRESHOLD, -1)  # never
