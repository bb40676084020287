"""A retailer's verifier over HTTPS: whether a member number belongs to a subscription with them.

We POST `{"reference": …, "nonce": …}` to the one address that is configured. The answer is
`{"payload": …, "signature": …}`, both base64url: JSON, and its Ed25519 signature (RFC 8032) by a key that is
configured, too. The payload says `nonce`, `reference` (SHA-256 of it, in hexadecimal), `eligible`, `valid_until` (the
first day after, or null) and `issued_at`. What is not signed, answers another question or is older than five minutes
says nothing. No redirect is followed, and no address inside our own network is connected to, whatever its name says.
"""

import base64
import hashlib
import hmac
import ipaddress
import json
import secrets
from datetime import date, datetime, timedelta
from typing import Any

import httpx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings

from memberships.proving.port import Unanswered, Verdict

TIMEOUT = httpx.Timeout(8, connect=4)
TOLERANCE = timedelta(minutes=5)
LONGEST = 16 * 1024  # bytes of an answer


class Verifier:
    def __init__(self, transport: httpx.BaseTransport | None = None) -> None:
        self.transport = transport

    def normal(self, reference: str) -> str:
        return reference.strip()

    def check(self, reference: str, *, now: datetime) -> Verdict:
        nonce = secrets.token_urlsafe(24)
        said = opened(self.answer({"reference": reference, "nonce": nonce}))
        try:
            issued_at = datetime.fromisoformat(said["issued_at"])
            is_ours = hmac.compare_digest(said["nonce"].encode(), nonce.encode())
            is_about = said["reference"] == hashlib.sha256(reference.encode()).hexdigest()
            if not is_ours or not is_about or abs(now - issued_at) > TOLERANCE:
                raise Unanswered("The answer is to another question, or too old.")
            if not isinstance(said["eligible"], bool):
                raise Unanswered("The answer says neither yes nor no.")
            until = said["valid_until"]
            return Verdict(said["eligible"], date.fromisoformat(until) if until is not None else None)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise Unanswered("The answer lacks what it should say.") from error

    def answer(self, asked: dict[str, str]) -> bytes:
        """What the verifier answers. Raises Unanswered."""
        try:
            with (
                httpx.Client(
                    timeout=TIMEOUT, follow_redirects=False, trust_env=False, transport=self.transport
                ) as client,
                client.stream(
                    "POST", settings.PROOF_RETAIL_URL, json=asked, extensions={"trace": refuse_inside}
                ) as response,
            ):
                if response.status_code != 200:
                    raise Unanswered(f"The verifier answered {response.status_code}.")
                body = b""
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > LONGEST:
                        raise Unanswered("The answer is too long.")
                return body
        except httpx.HTTPError as error:
            raise Unanswered(f"The verifier did not answer: {type(error).__name__}.") from error


def refuse_inside(event: str, info: dict[str, Any]) -> None:
    """Raises Unanswered once a connection is there, and before a byte is sent by it, where it leads inside.

    By the address that is connected to: what a name stood for a moment ago says nothing.
    """
    if event == "connection.connect_tcp.complete":
        stream = info["return_value"]
        if not is_outside(stream.get_extra_info("server_addr")[0]):
            stream.close()
            raise Unanswered("The verifier's name leads to an address that is not public.")


def is_outside(host: str) -> bool:
    """Whether an IP address is one of the public internet."""
    address = ipaddress.ip_address(host.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_global and not address.is_multicast


def opened(body: bytes) -> dict[str, Any]:
    """What a signed answer says. Raises Unanswered where no key of ours fits, or it cannot be read."""
    try:
        answer = json.loads(body)
        payload, signature = unpacked(answer["payload"]), unpacked(answer["signature"])
        if not any(fits(key, signature, payload) for key in settings.PROOF_RETAIL_PUBLIC_KEYS):
            raise Unanswered("The answer is not signed by the verifier.")
        said = json.loads(payload)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Unanswered("The answer cannot be read.") from error
    if not isinstance(said, dict):
        raise Unanswered("The answer cannot be read.")
    return said


def fits(key: str, signature: bytes, payload: bytes) -> bool:
    try:
        public_key(key).verify(signature, payload)
    except InvalidSignature:
        return False
    return True


def public_key(key: str) -> Ed25519PublicKey:
    """A key of 32 bytes in base64. Raises ValueError."""
    return Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True))


def unpacked(text: str) -> bytes:
    """Base64url without its padding."""
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
