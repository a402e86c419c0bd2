"""File names for keys: readable, unlike each other, and never a way out of the folder."""

from __future__ import annotations

import re
from hashlib import blake2b

FORBIDDEN = frozenset('/\\:*?"<>|')
DEVICE = re.compile(
    r"^(CON|PRN|AUX|NUL|CLOCK\$|CONIN\$|CONOUT\$|(COM|LPT)[0-9\u00b9\u00b2\u00b3])(?=\s*(\.|$))",
    re.IGNORECASE,
)
PREFIX_CHARS = 80
PREFIX_BYTES = 100  # with all that is added a name stays below 143 bytes, an encrypted disk's limit
SUFFIX = ".bin"
HASH = 16 + len(SUFFIX)


def name_of(key: str) -> str:
    """Give the file name for a key: some of it to read, and a hash that tells it from others.

    >>> name_of("a/b"), name_of("a_b")
    ('a_b-0debd2558bca8fa0.bin', 'a_b-f05e550658986ad7.bin')
    """
    return f"{readable(key)}-{blake2b(key.encode(), digest_size=8).hexdigest()}{SUFFIX}"


def readable(key: str) -> str:
    """Give what of a key can stand in a file name on every system."""
    start = key[:PREFIX_CHARS]
    text = "".join(c if c.isprintable() and c not in FORBIDDEN else "_" for c in start)
    rest = text.lstrip(".")
    text = DEVICE.sub("_", "_" * (len(text) - len(rest)) + rest)
    while len(text.encode()) > PREFIX_BYTES:
        text = text[:-1]
    return text


def is_name(name: str) -> bool:
    """Tell whether a file of this name may be a value."""
    return re.search(r"-[0-9a-f]{16}\.bin$", name) is not None and not name.startswith(".")


def same_key(name: str, key: str) -> bool:
    """Tell whether a file is named for a key; some systems spell what can be read otherwise."""
    return name[-HASH:] == name_of(key)[-HASH:]
