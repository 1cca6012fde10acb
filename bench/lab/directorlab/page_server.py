"""A real server's program: says its name to whoever asks for a page, over as many requests of a connection as the client likes.

    page_server.py NAME PORT
"""
import asyncio
import sys

LIMIT = 8192   # octets of a request
IDLE = 120     # seconds that a connection may be silent


def answer(name):
    body = name.encode("ascii") + b"\n"
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


async def serve(reader, writer, page):
    try:
        while True:
            async with asyncio.timeout(IDLE):
                request = await reader.readuntil(b"\r\n\r\n")
            writer.write(page)
            await writer.drain()
            if b"HTTP/1.0" in request or b"Connection: close" in request:
                break
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass
    finally:
        writer.close()


async def main(name, port):
    page = answer(name)
    server = await asyncio.start_server(lambda reader, writer: serve(reader, writer, page), "0.0.0.0", port, limit=LIMIT)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
