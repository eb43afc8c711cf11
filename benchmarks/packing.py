"""How long packing takes, and how busy it keeps the cores; the imports left aside. data.py calls it.

usage: python benchmarks/packing.py DATA OUT WORKERS

Prints JSON.
"""

import json
import resource
import sys
import time

from vidnas.config.data import PackConfig
from vidnas.verbs.pack import run_pack


def cpu_sec() -> float:
    """What this process and those that it has begun and ended have computed."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(used.ru_utime + used.ru_stime for used in both)


def main() -> None:
    """Pack."""
    data, out, workers = sys.argv[1], sys.argv[2], int(sys.argv[3])
    start, before = time.perf_counter(), cpu_sec()
    result = run_pack(PackConfig(data=data, out=out, workers=workers))
    sec = time.perf_counter() - start
    print(json.dumps({"sec": sec, "busy": (cpu_sec() - before) / sec / workers, "text": result.text}))


if __name__ == "__main__":
    main()
