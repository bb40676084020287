"""An SMTP server that takes every mail and keeps but its Message-ID: the other end of the benchmark of reminders."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from config import embedded

ANSWERS = {
    "EHLO": b"250-sink\r\n250-PIPELINING\r\n250 SIZE 1000000\r\n",
    "DATA": b"354 Go on\r\n",
    "QUIT": b"221 Bye\r\n",
}


class Sink:
    """What was taken, by Message-ID."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.port = 0
        self.ready = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None

    def serve(self) -> None:
        with asyncio.Runner() as runner:
            self.loop = runner.get_loop()
            runner.run(self.listen())

    async def listen(self) -> None:
        self.over = asyncio.Event()
        server = await asyncio.start_server(self.talk, embedded.LOCALHOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        async with server:
            await self.over.wait()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        while line := await reader.readline():
            verb = line[:4].decode("ascii", "replace").upper()
            writer.write(ANSWERS.get(verb, b"250 OK\r\n"))
            if verb == "DATA":
                self.take(await reader.readuntil(b"\r\n.\r\n"))
                writer.write(b"250 OK\r\n")
            if verb == "QUIT":
                break
            await writer.drain()
        writer.close()

    def take(self, mail: bytes) -> None:
        head = mail.split(b"\r\n\r\n", 1)[0]
        name = next((line for line in head.split(b"\r\n") if line.lower().startswith(b"message-id:")), b"")
        self.taken[name.partition(b":")[2].strip().decode("ascii", "replace")] += 1


@contextmanager
def sink() -> Iterator[Sink]:
    """The server for as long as the block takes, in a thread of its own."""
    server = Sink()
    thread = threading.Thread(target=server.serve, name="sink", daemon=True)
    thread.start()
    assert server.ready.wait(30)
    try:
        yield server
    finally:
        assert server.loop
        server.loop.call_soon_threadsafe(server.over.set)
        thread.join(30)
