"""An SMTP server for tests: strict about what it is told, and able to misbehave in every way that has a name here."""
import asyncio
import email
import email.policy
import re
import socket
import sys
import threading
import time

BUSY = 0.02     # seconds between two octets of a server that dawdles


class IndependentServer:
    """aiosmtpd at 127.0.0.1 of a namespace. `taken`: (sender, recipients, message)."""

    def __init__(self, namespace, port=2525):
        from aiosmtpd.smtp import SMTP
        self.taken = []
        listener = namespace.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.bind(("127.0.0.1", port))
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(self._loop.create_server(lambda: SMTP(self, loop=self._loop), sock=listener))
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    @staticmethod
    def why_not():
        sys.path.append("/usr/lib/python3/dist-packages")   # for another Python than Debian's
        try:
            import aiosmtpd.smtp  # noqa: F401
        except ImportError:
            return "aiosmtpd is not here (packaging/install-dependencies test)"
        return None

    async def handle_DATA(self, server, session, envelope):
        self.taken.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 OK"

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._server.close()
        self._loop.close()


class MailServer:
    """Listens at 127.0.0.1 of a host. `manner`: "well", "silent" (takes connections and says nothing), "deaf" (greets, then says nothing), "dawdling" (an
    endless greeting, octet by octet), "babbling" (an endless greeting), "foreign" (no SMTP), "closing", "greylisting" (refuses each mail once),
    "refusing" (no recipient but the second), "forgetting" (takes the first mail, and fails to say so)."""

    def __init__(self, host, manner="well", port=2525):
        self.manner = manner
        self.messages = []        # as received after DATA, dots removed
        self.envelopes = []       # (sender, recipients)
        self.complaints = []      # about what a client may not send
        self.commands = []
        self.connections = 0
        self._open = set()
        self.most_open = 0
        self._lock = threading.Lock()
        self._refused = set()
        self._is_ending = threading.Event()
        self._listener = host.namespace.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", port))
        self._listener.listen(50)
        self._listener.settimeout(0.2)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self):
        self._is_ending.set()
        for thread in list(self._threads):
            thread.join(10)
        self._listener.close()

    def subjects(self):
        return [email.message_from_bytes(message, policy=email.policy.default)["Subject"] for message in list(self.messages)]

    def parsed(self):
        return [email.message_from_bytes(message, policy=email.policy.default) for message in list(self.messages)]

    def _accept(self):
        while not self._is_ending.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            connection.settimeout(0.2)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            with self._lock:
                self.connections += 1
                self._open.add(connection)
                self.most_open = max(self.most_open, len(self._open))
            thread.start()

    def _serve(self, connection):
        try:
            with connection:
                self._session(connection)
        except OSError:
            pass   # the client went away, which is its right
        finally:
            self._count_out(connection)

    def _count_out(self, connection):
        with self._lock:
            self._open.discard(connection)

    def _wait_for_the_end(self, connection):
        while not self._is_ending.is_set():
            try:
                if not connection.recv(4096):
                    return
            except TimeoutError:
                pass

    def _session(self, connection):
        if self.manner == "closing":
            return
        if self.manner == "silent":
            return self._wait_for_the_end(connection)
        if self.manner == "foreign":
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            return self._wait_for_the_end(connection)
        while self.manner in ("dawdling", "babbling") and not self._is_ending.is_set():
            connection.sendall(b"2" if self.manner == "dawdling" else b"220-" + b"x" * 60000 + b"\r\n")
            time.sleep(BUSY)
        if self._is_ending.is_set():
            return
        connection.sendall(b"220 test ESMTP\r\n")
        if self.manner == "deaf":
            return self._wait_for_the_end(connection)
        self._talk(connection)

    def _talk(self, connection):
        lines = self._lines(connection)
        sender, recipients = None, []
        for line in lines:
            self.commands.append(line.decode("latin-1"))
            reply, name = b"250 ok", re.match(rb"[A-Z]+", line)
            if line.startswith(b"MAIL FROM:<"):
                sender, recipients = line[11:-1].decode(), []
            elif line.startswith(b"RCPT TO:<"):
                recipient = line[9:-1].decode()
                if self.manner == "refusing" and "second" not in recipient:
                    reply = b"550 no such user"
                elif self.manner == "greylisting" and (sender, recipient) not in self._refused:
                    self._refused.add((sender, recipient))
                    reply = b"451 come back later"
                else:
                    recipients.append(recipient)
            elif line == b"DATA":
                connection.sendall(b"354 go on\r\n")
                self.messages.append(b"".join(self._message(lines)))
                self.envelopes.append((sender, recipients))
                if self.manner == "forgetting" and len(self.messages) == 1:
                    return
            elif line == b"QUIT":
                self._count_out(connection)   # before the client knows, which may connect again at once
                connection.sendall(b"221 bye\r\n")
                return
            elif name is None or name[0] not in (b"HELO", b"RSET"):
                self.complaints.append(f"unknown command {line!r}")
                reply = b"500 what"
            connection.sendall(reply + b"\r\n")

    def _message(self, lines):
        for line in lines:
            if line == b".":
                return
            yield (line[1:] if line.startswith(b".") else line) + b"\r\n"

    def _lines(self, connection):
        kept = b""
        while not self._is_ending.is_set():
            line, separator, rest = kept.partition(b"\r\n")
            if separator:
                if b"\n" in line or b"\r" in line:
                    self.complaints.append(f"a line ends without CRLF: {line!r}")
                if len(line) > 998:
                    self.complaints.append(f"a line of {len(line)} octets")
                kept = rest
                yield line
                continue
            try:
                more = connection.recv(4096)
            except TimeoutError:
                continue
            if not more:
                return
            kept += more
