"""How the bytes of a text are read.

A byte order mark decides. Without one it is what the sender says; else UTF-8 if all of it is; else
Windows-1252 if nothing in it is UTF-8 beyond ASCII.
"""

import codecs
import re
from typing import IO, Final

UTF_8: Final = "utf-8"
WINDOWS: Final = "windows-1252"
# As browsers read them, the labels of ISO 8859-1 mean Windows-1252.
LABELS: Final = {
    **dict.fromkeys(("utf-8", "utf8"), UTF_8),
    **dict.fromkeys(("utf-16", "utf-16le"), "utf-16-le"),
    "utf-16be": "utf-16-be",
    **dict.fromkeys(("iso-8859-1", "latin-1", "latin1", "cp1252", WINDOWS), WINDOWS),
    **{
        f"iso-8859-{part}": f"iso-8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)
    },
    **{f"windows-125{part}": f"windows-125{part}" for part in (0, 1, 3, 4, 5, 6, 7, 8)},
    "iso-8859-9": "windows-1254",
    "macintosh": "mac-roman",
}
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK: Final = 262_144
_ESCAPED: Final = re.compile("[\udc80-\udcff]")
_DECODED: Final = re.compile("[\x80-\ud7ff\ue000-\U0010ffff]")


def encoding_of(stream: IO[bytes], told: str | None) -> str:
    """The name of the codec to read all of the stream with, which is left at its start."""
    start = stream.read(3)
    marked = next((codec for mark, codec in _MARKS if start.startswith(mark)), None)
    stream.seek(0)
    if marked or told:
        return marked or LABELS[told or UTF_8]
    found = _guess(stream)
    stream.seek(0)
    return found


def shown(codec: str) -> str:
    """What people call a codec."""
    name = "utf-16" if codec.startswith("utf-16") else codec.removesuffix("-sig")
    return name.capitalize() if name.startswith(("windows", "mac")) else name.upper()


def _guess(stream: IO[bytes]) -> str:
    decoder = codecs.getincrementaldecoder(UTF_8)("surrogateescape")
    has_other = has_utf_8 = False
    while chunk := stream.read(_CHUNK):
        text = decoder.decode(chunk)
        if not text.isascii():
            has_other = has_other or _ESCAPED.search(text) is not None
            has_utf_8 = has_utf_8 or _DECODED.search(text) is not None
    has_other = has_other or bool(decoder.decode(b"", final=True))
    # A text that is both was damaged: read as the one or the other, it would lose more.
    return WINDOWS if has_other and not has_utf_8 else UTF_8
