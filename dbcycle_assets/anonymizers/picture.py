"""Files in columns: another file of the same format that every reader opens."""

import re
import struct
import zlib

from .base import Definition, Facts, Key, Kind, Mask, Parameters

_PNG, _GIF, _PDF = b"\x89PNG\r\n\x1a\n", b"GIF8", b"%PDF-"


def _png(colour: bytes) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" + colour, 9)
    return _PNG + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def _gif(colour: bytes) -> bytes:
    head = b"GIF89a\x01\x00\x01\x00\x80\x00\x00" + colour + b"\0\0\0"
    return head + b",\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0;"


def _pdf(colour: bytes) -> bytes:
    fill = " ".join(f"{value / 255:.3f}" for value in colour).encode()
    drawn = fill + b" rg 0 0 72 72 re f"
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]/Contents 4 0 R/Resources<<>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn),
    )
    made, places = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj%s endobj\n" % (number, text)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        made
        + b"xref\n0 5\n0000000000 65535 f \n"
        + table
        + b"trailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(made)
    )


_MAKERS = ((_PNG, _png), (_GIF, _gif), (_PDF, _pdf))


def _picture(_parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    def mask(value: str) -> str:
        raw = bytes.fromhex(re.sub(r"^\\x", "", value))
        if not raw:
            return value
        colour = key.digest("picture", value, 3)
        for magic, make in _MAKERS:
            if raw.startswith(magic):
                return "\\x" + make(colour).hex()
        message = "neither PNG, GIF nor PDF"
        raise ValueError(message)

    return mask


DEFINITIONS = (
    Definition(
        name="picture",
        summary="A PNG, GIF or PDF of one keyed colour, in the format of the original.",
        accepts=frozenset({Kind.BYTES}),
        build=_picture,
        searchable=False,
        misfit=lambda _parameters, facts: (
            "may give two rows the same file, but the column is unique" if facts.unique else None
        ),
    ),
)
