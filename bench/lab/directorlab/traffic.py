"""The client's program: fetches pages from one address without a pause and writes down what became of each request.

    traffic.py ADDRESS PORT WORKERS LONG-LIVED INTERVAL PATIENCE FILE

WORKERS ask at the same time, each with a connection of its own for every request, one INTERVAL (seconds) after the other; a request that has no answer after
a second has failed. LONG-LIVED connections stay open and carry a request every INTERVAL; one is broken when it ends or an answer takes longer than PATIENCE
(seconds: TCP must have the time to repeat itself), and then another is opened in its place. SIGUSR1 renews the long-lived ones, which breaks none.

Lines of the file, times in seconds of CLOCK_MONOTONIC (what records.py reads):

    request START END SERVER|- REASON      long NUMBER START END SERVER
    open NUMBER TIME PORT                  broken NUMBER TIME REASON           closed NUMBER TIME
"""
import asyncio
import itertools
import signal
import sys
import time

TIME_OUT = 1
# No port is used twice: of a connection with direct routing IPVS sees one half, and remembers it for two minutes after its end. Whoever has the same port in
# that time is sent to the same server, dead or not; Linux chooses ports anew every ten seconds, which would make that a matter of chance.
PORTS = range(2048, 65536)


class Failure(Exception):
    """No page; the message says in a word why."""


class Client:
    def __init__(self, address, port, interval, patience, out):
        self.address, self.port, self.interval, self.patience, self.out = address, port, interval, patience, out
        self.question = f"GET / HTTP/1.1\r\nHost: {address}\r\n\r\n".encode("ascii")
        self.generation = 0
        self.ports = itertools.cycle(PORTS)

    def note(self, *words):
        self.out.write(" ".join(f"{word:.4f}" if isinstance(word, float) else str(word) for word in words) + "\n")

    async def connect(self):
        return await asyncio.open_connection(self.address, self.port, local_addr=("0.0.0.0", next(self.ports)))

    async def fetch(self, reader, writer):
        writer.write(self.question)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split()[0])
        return (await reader.readexactly(length)).decode("ascii").strip()

    async def guarded(self, seconds, work):
        """What the coroutine gives, or Failure."""
        try:
            async with asyncio.timeout(seconds):
                return await work
        except TimeoutError as error:
            raise Failure("time-out") from error
        except ConnectionRefusedError as error:
            raise Failure("refused") from error
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            raise Failure("reset") from error
        except OSError as error:
            raise Failure(f"errno-{error.errno}") from error

    async def one_page(self):
        reader, writer = await self.connect()
        try:
            return await self.fetch(reader, writer)
        finally:
            writer.close()

    async def worker(self, delay):
        await asyncio.sleep(delay)
        while True:
            start = time.monotonic()
            try:
                server = await self.guarded(TIME_OUT, self.one_page())
                self.note("request", start, time.monotonic(), server, "ok")
            except Failure as failure:
                self.note("request", start, time.monotonic(), "-", failure)
            await asyncio.sleep(max(0, start + self.interval - time.monotonic()))

    async def long_lived(self, number):
        while True:
            try:
                reader, writer = await self.guarded(TIME_OUT, self.connect())
            except Failure:
                await asyncio.sleep(self.interval)
                continue
            self.note("open", number, time.monotonic(), writer.get_extra_info("sockname")[1])
            try:
                await self.use(number, reader, writer)
                self.note("closed", number, time.monotonic())
            except Failure as failure:
                self.note("broken", number, time.monotonic(), failure)
                await asyncio.sleep(self.interval)
            finally:
                writer.close()

    async def use(self, number, reader, writer):
        """Returns when it is to be renewed."""
        generation = self.generation
        while generation == self.generation:
            start = time.monotonic()
            server = await self.guarded(self.patience, self.fetch(reader, writer))
            self.note("long", number, start, time.monotonic(), server)
            await asyncio.sleep(self.interval)

    def renew(self):
        self.generation += 1

    async def run(self, worker_count, long_count):
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, self.renew)
        await asyncio.gather(*(self.worker(self.interval * number / worker_count) for number in range(worker_count)),
                             *(self.long_lived(number) for number in range(long_count)))


def main(address, port, worker_count, long_count, interval, patience, path):
    with open(path, "w", encoding="ascii", buffering=1) as out:
        asyncio.run(Client(address, int(port), float(interval), float(patience), out).run(int(worker_count), int(long_count)))


if __name__ == "__main__":
    main(*sys.argv[1:])
