"""A network that is far away: each connection and each request takes a while to arrive."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator


class Network:
    """Relays connections on this machine to servers; ``delay`` is in seconds, and may change.

    A new connection costs one delay, and what a client sends another; answers come at once. What
    is on its way on several connections waits side by side.
    """

    def __init__(self) -> None:
        self.delay = 0.0
        self._loop = asyncio.new_event_loop()

    def relay(self, port: int) -> int:
        """Return the port at which the server at a port is reached through this network."""
        async def start() -> int:
            server = await asyncio.start_server(
                lambda *client: self._connect(port, *client), '127.0.0.1', backlog=1000)
            return int(server.sockets[0].getsockname()[1])
        return asyncio.run_coroutine_threadsafe(start(), self._loop).result()

    async def close(self) -> None:
        """End all connections."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connect(self, port: int, reader: asyncio.StreamReader,
                       writer: asyncio.StreamWriter) -> None:
        connected = self._loop.time() + self.delay
        with contextlib.closing(writer), contextlib.suppress(ConnectionError):
            from_server, to_server = await asyncio.open_connection('127.0.0.1', port)
            with contextlib.closing(to_server):
                sending = asyncio.ensure_future(self._send(reader, to_server, connected))
                while data := await from_server.read(2**16):
                    writer.write(data)
                    await writer.drain()
                sending.cancel()

    async def _send(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
                    connected: float) -> None:
        arrives = connected + self.delay
        # A client that has enough goes away.
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(2**16):
                # Two of the same time might overtake each other.
                arrives = max(arrives + 1e-6, self._loop.time() + self.delay)
                self._loop.call_at(arrives, writer.write, data)
        self._loop.call_at(max(arrives + 1e-6, self._loop.time() + self.delay), writer.close)


@contextlib.contextmanager
def network() -> Iterator[Network]:
    """Yield a network that carries until this ends."""
    made = Network()
    thread = threading.Thread(target=made._loop.run_forever, daemon=True)
    thread.start()
    yield made
    asyncio.run_coroutine_threadsafe(made.close(), made._loop).result()
    made._loop.call_soon_threadsafe(made._loop.stop)
    thread.join()
