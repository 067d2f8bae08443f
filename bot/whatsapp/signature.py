"""Meta's signature of a webhook: HMAC-SHA256 with the app secret over the raw bytes of the body."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Final

HEADER: Final = "X-Hub-Signature-256"
_SCHEME: Final = "sha256="
_HEX_DIGITS: Final = 64


def sign(body: bytes, secret: bytes) -> str:
    """Return the header's value for a body."""
    return _SCHEME + hmac.digest(secret, body, "sha256").hex()


def parse(header: str | None) -> bytes | None:
    """Return the 32 bytes that a header claims; None when it is missing or odd."""
    if header is None or len(header) != len(_SCHEME) + _HEX_DIGITS:
        return None
    if not header.startswith(_SCHEME):
        return None
    try:
        claimed = bytes.fromhex(header[len(_SCHEME) :])
    except ValueError:
        return None
    return claimed if len(claimed) * 2 == _HEX_DIGITS else None  # fromhex passes over blanks


def is_right(claimed: bytes, body: bytes, secrets: Sequence[bytes]) -> bool:
    """Tell whether one of the secrets signed the body; during a rotation there are two."""
    return any(
        hmac.compare_digest(claimed, hmac.digest(secret, body, "sha256")) for secret in secrets
    )
