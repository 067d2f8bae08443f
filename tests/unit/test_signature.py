"""Meta's signature, as the header gives it."""

from __future__ import annotations

import pytest

from bot.whatsapp import signature

BODY = b'{"object":"whatsapp_business_account"}'
OLD, NEW = b"old secret", b"new secret"


def claimed(body: bytes = BODY, secret: bytes = NEW) -> bytes:
    found = signature.parse(signature.sign(body, secret))
    assert found is not None
    return found


def test_a_signature_is_what_every_other_implementation_computes() -> None:
    # RFC 4231, test case 2
    signed = signature.sign(b"what do ya want for nothing?", b"Jefe")
    assert signed == "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


def test_the_right_secret_is_accepted() -> None:
    assert signature.is_right(claimed(), BODY, [NEW])


def test_both_secrets_of_a_rotation_are_accepted() -> None:
    for secret in (OLD, NEW):
        assert signature.is_right(claimed(secret=secret), BODY, [NEW, OLD])


def test_no_other_secret_is_accepted() -> None:
    assert not signature.is_right(claimed(secret=b"third"), BODY, [NEW, OLD])


def test_without_secrets_nothing_is_right() -> None:
    assert not signature.is_right(claimed(secret=b""), BODY, [])


def test_a_single_changed_byte_is_noticed() -> None:
    assert not signature.is_right(claimed(), BODY.replace(b"_", b"-", 1), [NEW])


def test_hexadecimal_may_be_in_capitals() -> None:
    header = signature.sign(BODY, NEW)
    assert signature.parse("sha256=" + header[7:].upper()) == claimed()


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        "sha256",
        "0" * 64,
        "sha1=" + "0" * 40,
        "sha512=" + "0" * 64,
        "SHA256=" + "0" * 64,
        "sha256=" + "0" * 63,
        "sha256=" + "0" * 65,
        "sha256=" + "g" * 64,
        "sha256=" + "é" * 64,
        "sha256=" + "0 " * 32,
        "sha256=" + " " * 64,
    ],
)
def test_an_odd_header_is_refused(header: str | None) -> None:
    assert signature.parse(header) is None
