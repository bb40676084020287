"""A TURN client, as far as asking for a relay and naming whom it should reach (RFC 5389, RFC 5766)."""

import base64
import hashlib
import hmac
import ipaddress
import secrets
import socket
import struct
from dataclasses import dataclass, field

COOKIE = 0x2112A442
ALLOCATE, CREATE_PERMISSION = 0x0003, 0x0008
USERNAME, INTEGRITY, ERROR, REALM, NONCE = 0x0006, 0x0008, 0x0009, 0x0014, 0x0015
PEER, TRANSPORT = 0x0012, 0x0019
UDP = 17
KEPT: list[socket.socket] = []


@dataclass
class Client:
    """Of the TURN server at a port of this machine, by one socket.

    Its port stays taken until the server has ended (`let_go`): whoever came from it next would meet what the server
    remembers of this one (437).
    """

    port: int
    username: str = ""
    password: str = ""
    realm: bytes = b""
    nonce: bytes = b""
    line: socket.socket = field(default_factory=lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))

    def __enter__(self) -> "Client":
        self.line.settimeout(60)
        self.line.connect(("127.0.0.1", self.port))
        return self

    def __exit__(self, *_: object) -> None:
        KEPT.append(self.line)

    def allocate(self) -> int:
        """Ask for a relay: 0, or the error's code."""
        wanted = [(TRANSPORT, struct.pack("!B3x", UDP))]
        first = self.ask(ALLOCATE, wanted)
        return self.ask(ALLOCATE, wanted) if first == 401 and self.username else first

    def permit(self, peer: str) -> int:
        """Ask to reach `peer`: 0, or the error's code, 403 where it is denied."""
        return self.ask(CREATE_PERMISSION, [(PEER, self.address(peer))])

    def ask(self, method: int, attributes: list[tuple[int, bytes]]) -> int:
        transaction = secrets.token_bytes(12)
        self.transaction = transaction
        body = b"".join(self.attribute(*one) for one in attributes)
        if self.nonce:
            named = ((USERNAME, self.username.encode()), (REALM, self.realm), (NONCE, self.nonce))
            body += b"".join(self.attribute(*one) for one in named)
            head = struct.pack("!HHI", method, len(body) + 24, COOKIE) + transaction
            key = hashlib.md5(f"{self.username}:{self.realm.decode()}:{self.password}".encode()).digest()  # noqa: S324
            body += self.attribute(INTEGRITY, hmac.new(key, head + body, hashlib.sha1).digest())
        self.line.send(struct.pack("!HHI", method, len(body), COOKIE) + transaction + body)
        return self.understood(self.line.recv(2048))

    def understood(self, answer: bytes) -> int:
        (kind,) = struct.unpack("!H", answer[:2])
        found = self.attributes(answer[20:])
        self.realm, self.nonce = found.get(REALM, self.realm), found.get(NONCE, self.nonce)
        if kind & 0x0110 != 0x0110:  # no error
            return 0
        error = found[ERROR]
        return error[2] * 100 + error[3]

    @staticmethod
    def attribute(kind: int, value: bytes) -> bytes:
        return struct.pack("!HH", kind, len(value)) + value + b"\0" * (-len(value) % 4)

    @staticmethod
    def attributes(body: bytes) -> dict[int, bytes]:
        found = {}
        while len(body) >= 4:
            kind, length = struct.unpack("!HH", body[:4])
            found[kind] = body[4 : 4 + length]
            body = body[4 + length + (-length % 4) :]
        return found

    @staticmethod
    def address(peer: str) -> bytes:
        """As XOR-PEER-ADDRESS has it, for an IPv4 address and port 40000."""
        number = int(ipaddress.IPv4Address(peer))
        return struct.pack("!BBHI", 0, 1, 40_000 ^ (COOKIE >> 16), number ^ COOKIE)


def let_go() -> None:
    """Of every port, after the server's end."""
    while KEPT:
        KEPT.pop().close()


def credential(secret: str, *, ends: int) -> tuple[str, str]:
    """User name, of somebody new, and password that hold until `ends` (seconds since 1970)."""
    username = f"{ends}:{secrets.token_hex(8)}"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(digest).decode()
