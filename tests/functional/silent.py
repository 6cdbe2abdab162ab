"""A server that accepts connections and says nothing."""

import contextlib
import socket
import threading


@contextlib.contextmanager
def silent_server():
    """Yield its port, and the connections that it has accepted."""
    with socket.create_server(('127.0.0.1', 0)) as listening:
        accepted = []

        def accept():
            # Until the listening socket is shut down.
            with contextlib.suppress(OSError):
                while True:
                    accepted.append(listening.accept()[0])

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield listening.getsockname()[1], accepted
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in accepted:
                connection.close()
