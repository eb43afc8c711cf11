"""Questions to other machines, by fsspec: asked again where that may help, and errors in words."""

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import fsspec

from vidnas.errors import UserError

T = TypeVar("T")

WEB = ("http", "https")
TRIES = 5
FIRST_PAUSE_SEC = 0.5
"""Before the second try; it doubles from one to the next."""
TIMEOUT_SEC = 60
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
CLIENTS = ("aiohttp", "aiobotocore", "botocore")
"""The libraries that talk to the servers, whose errors may pass."""


def ask_patiently(address: str, ask: Callable[[Any], T]) -> T:
    """What `ask` returns of the file system there, tried again where that may help."""
    pause_sec = FIRST_PAUSE_SEC
    for left in reversed(range(TRIES)):
        try:
            with _explained(address):
                return ask(_system(urlsplit(address).scheme, os.getpid()))
        except _Passing as error:
            if not left:
                raise UserError(f"{address} cannot be reached: {error}. Tried {TRIES} times.") from error
            time.sleep(pause_sec)
            pause_sec *= 2
    raise AssertionError


class _Passing(Exception):
    """What may be over in a while: a time-out, a lost connection, a server that is overloaded."""


@contextmanager
def _explained(address: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.filename is not None or error.errno in DISK:  # of this machine
            raise
        _explain(address, error)
    except Exception as error:
        _explain(address, error)


def _explain(address: str, error: Exception) -> NoReturn:
    """Raise what an error of the server's means."""
    status = getattr(error, "status", None)
    if isinstance(error, FileNotFoundError):
        raise UserError(f"{address} does not exist (404).") from error
    without = "Credentials" in type(error).__name__  # botocore's NoCredentialsError and its like
    if without or isinstance(error, PermissionError) or status in (401, 403):
        cause = "without credentials" if without else f"({status or 403})"
        raise UserError(
            f"{address} may not be read {cause}. Ask for access, or give credentials in the environment, in "
            "~/.aws or, for https, in ~/.netrc; FSSPEC_S3_ANON=true in the environment asks as anybody."
        ) from error
    if status is not None and 400 <= status < 500 and status != 429:
        raise UserError(f"{address} cannot be read: the server answers {status}.") from error
    if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in CLIENTS:
        raise _Passing(f"the server answers {status}" if status else type(error).__name__) from error
    raise error


@lru_cache(maxsize=8)
def _system(scheme: str, _process: int) -> Any:
    """fsspec's file system; each process has its own, since connections do not outlive a fork."""
    options: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
    if scheme in WEB:
        options["client_kwargs"] = {"trust_env": True}  # ~/.netrc and proxies
    elif scheme == "s3":
        options["config_kwargs"] = {"connect_timeout": TIMEOUT_SEC, "read_timeout": TIMEOUT_SEC}
    try:
        return fsspec.filesystem(scheme, **options)
    except ImportError as error:
        raise UserError(
            f"Data at {scheme}:// need more packages: pip install 'vidnas[remote]' ({error})."
        ) from error
    except ValueError as error:
        raise UserError(f"{scheme}:// is no kind of address that fsspec knows: {error}.") from error
