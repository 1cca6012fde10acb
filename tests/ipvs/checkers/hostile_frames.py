"""Frames of HTTP/2 (RFC 9113) as no decent server sends them. None of these needs TLS: the checker takes HTTP/2 by prior knowledge, too."""
import struct

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8
STREAM = 1   # the checker's only one
STATUS_200, STATUS_204 = b"\x88", b"\x89"   # static table of HPACK (RFC 7541, Appendix A)
STATUS_100 = b"\x08\x03100"                  # literal value of :status


def frame(kind, payload=b"", flags=0, stream=0, length=None):
    return struct.pack("!I", len(payload) if length is None else length)[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def literal(name, value, index=False):
    """A field of HPACK, in short lengths or long ones."""
    return (b"\x40" if index else b"\x00") + string(name) + string(value)


def string(octets):
    return integer(len(octets), 7) + octets


def integer(value, bits):
    if value < (1 << bits) - 1:
        return bytes([value])
    result, value = [(1 << bits) - 1], value - ((1 << bits) - 1)
    while value >= 128:
        result.append(value % 128 + 128)
        value //= 128
    return bytes([*result, value])


def setting(identifier, value):
    return struct.pack("!HI", identifier, value)


HELLO = frame(SETTINGS)
ANSWER = frame(HEADERS, STATUS_200, END_HEADERS, STREAM)
# A field of 4,000 octets that is put into the table, then named by one octet again and again.
BOMB = STATUS_200 + literal(b"x", b"y" * 3900, index=True) + b"\xbe" * 12000
