"""Answers that carry a number and a keyed digest: what else is written into the pipe is not taken for one.

The key comes before the checked code does, and is then held by the digest alone, in C. Both ends count, so that an
answer is good for its own task only. In the worker, nothing is sealed but what comes from the program that it runs.
"""

from __future__ import annotations

import hashlib
import hmac
import sys
from collections.abc import Callable
from types import CodeType

KEY = 32
"""The bytes of a key."""


def sealing(key: bytes, program: CodeType | None = None) -> Callable[[bytes], bytes]:
    """Return a function that makes answers into sealed lines, in the order in which `opening` reads them.

    With a `program`, only what is called by a function that this calls gets a seal.
    """
    digest = hashlib.blake2b(key=key, digest_size=16)
    number, frame_at = 0, sys._getframe

    def seal(answer: bytes) -> bytes:
        nonlocal number
        number += 1 if program is None or frame_at(2).f_code is program else 1000
        own = digest.copy()
        own.update(b"%d %b" % (number, answer))
        return b"%b %b\n" % (own.hexdigest().encode(), answer)

    return seal


def opening(key: bytes) -> Callable[[bytes], bytes | None]:
    """Return a function that gives the answer in a sealed line, and None for any other line."""
    seal = sealing(key)

    def opened(line: bytes) -> bytes | None:
        answer = line.partition(b" ")[2].removesuffix(b"\n")
        return answer if hmac.compare_digest(seal(answer), line) else None

    return opened
