r"""A streaming lexer for SQL scripts: statements and COPY data, one line at a time in memory.

It follows psql: a statement ends at a semicolon outside quotes, comments, parentheses and
``BEGIN ATOMIC`` bodies; the data of ``COPY … FROM stdin`` follows its statement up to ``\.``.
"""

import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import cast

_TOKEN = re.compile(
    rb"""
      (?P<space>\s+)
    | (?P<line>--[^\n]*)
    | (?P<block>/\*)
    | (?P<escape>[eE]')
    | (?P<string>[uU]&'|[bBxXnN]?')
    | (?P<ident>(?:[uU]&)?")
    | (?P<dollar>\$(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$)
    | (?P<word>[A-Za-z_\x80-\xff][\w$\x80-\xff]*)
    | (?P<number>\$?\d[\w.]*)
    | (?P<open>\()
    | (?P<close>\))
    | (?P<end>;)
    | (?P<meta>\\[^\n]*)
    | (?P<other>.)
    """,
    re.VERBOSE,
)
_CLOSERS = {
    "string": re.compile(rb"''|'"),
    "escape": re.compile(rb"\\.|''|'", re.DOTALL),
    "ident": re.compile(rb'""|"'),
    "block": re.compile(rb"/\*|\*/"),
}
_DATA_FOLLOWS = re.compile(rb"^\s*COPY\b.*\bFROM\s+STDIN\b", re.DOTALL)
_FUNCTION = re.compile(rb"^\s*CREATE\s+(OR\s+REPLACE\s+)?(FUNCTION|PROCEDURE)\b")
_BLOCK = 1 << 20


class Unreadable(ValueError):
    """The script cannot be taken apart; ``line`` counts from 1. The message has no value."""

    def __init__(self, what: str, line: int) -> None:
        super().__init__(what)
        self.what = what
        self.line = line


class Truncated(Unreadable):
    """The script ends inside a statement or inside COPY data."""


@dataclass(frozen=True)
class Statement:
    """One statement with the place of its first character (both from 1).

    ``skeleton`` is its code in upper case: quoted identifiers as they are, other quotes and
    comments emptied. It is what decisions are made on.
    """

    text: bytes
    skeleton: bytes
    line: int
    column: int

    @property
    def data_follows(self) -> bool:
        """Whether the script goes on with this statement's COPY data."""
        return _DATA_FOLLOWS.match(self.skeleton) is not None


class Script:
    """One pass over a script. After a statement whose ``data_follows``, call :meth:`data`.

    ``skipped_commands`` are backslash commands that may stand between statements and are ignored;
    every other one is :class:`Unreadable`.
    """

    def __init__(self, lines: Iterable[bytes], *, skipped_commands: Iterable[bytes] = ()) -> None:
        self._lines = iter(lines)
        self._skipped = frozenset(skipped_commands)
        self._number = 0
        self._owed: Statement | None = None
        self._reset()

    def _reset(self) -> None:
        self._text = bytearray()
        self._skeleton = bytearray()
        self._start = (0, 0)
        self._parens = 0
        self._bodies = 0
        self._inside: str | None = None
        self._tag = b""
        self._comments = 0

    def __iter__(self) -> Iterator[Statement]:
        for line in self._lines:
            self._number += 1
            yield from self._scan(line)
        if self._inside not in (None, "line") or self._skeleton.strip():
            if self._inside is None and not self._parens and not self._bodies:
                yield self._take()  # a last statement needs no semicolon
            else:
                raise Truncated("the script ends inside a statement", self._start[0] or 1)

    def data(self) -> Iterator[bytes]:
        """Yield the COPY data in blocks of whole lines, without the closing line."""
        self._owed = None
        start = self._number
        gathered: list[bytes] = []
        size = 0
        for line in self._lines:
            self._number += 1
            if line[:2] == b"\\." and line.rstrip(b"\r\n") == b"\\.":
                break
            gathered.append(line)
            size += len(line)
            if size >= _BLOCK:
                yield b"".join(gathered)
                gathered, size = [], 0
        else:
            raise Truncated("the script ends inside COPY data", start)
        if gathered:
            yield b"".join(gathered)

    def _scan(self, line: bytes) -> Iterator[Statement]:
        position = 0
        while position < len(line):
            if self._inside is not None:
                position = self._leave(line, position)
                continue
            match = cast("re.Match[bytes]", _TOKEN.match(line, position))  # every byte is a token
            kind = match.lastgroup or "other"
            if kind == "meta":
                self._command(match.group().strip())
                return
            position = match.end()
            if kind in {"space", "line"}:
                self._add(match.group(), b" ")
            elif kind != "end" or self._parens or self._bodies:
                self._token(kind, match.group(), match.start())
            elif self._skeleton.strip():
                done = yield from self._end(line[position:])
                if done.data_follows:
                    return
            else:
                self._reset()

    def _end(self, rest: bytes) -> Generator[Statement, None, Statement]:
        """Give a whole statement away, and read past its COPY data if nobody asked for it."""
        self._text += b";"
        done = self._take()
        if done.data_follows and rest.strip() and not rest.strip().startswith(b"--"):
            raise Unreadable("text follows COPY … FROM stdin on its line", self._number)
        yield done
        if self._owed is done:
            for _ in self.data():
                pass
        return done

    def _command(self, command: bytes) -> None:
        name = command.split(None, 1)[0] if command else b""
        if self._skeleton.strip() or name not in self._skipped:
            shown = name.decode("ascii", "replace")
            raise Unreadable(f"the psql command {shown} is not SQL", self._number)

    def _add(self, text: bytes, code: bytes) -> None:
        if self._text:  # nothing is kept before the first token
            self._text += text
            self._skeleton += code

    def _token(self, kind: str, text: bytes, column: int) -> None:
        if kind == "block":
            self._inside, self._comments = kind, 1
            self._add(text, b" ")
            return
        if not self._text:
            self._start = (self._number, column + 1)
        self._text += text
        if kind in {"escape", "string", "ident"}:
            self._inside = kind
            self._skeleton += b'"' if kind == "ident" else b"'"
        elif kind == "dollar":
            self._inside, self._tag = kind, text
            self._skeleton += b"$$"
        else:
            self._skeleton += text.upper()
            self._nest(kind, text)

    def _nest(self, kind: str, text: bytes) -> None:
        if kind == "open":
            self._parens += 1
        elif kind == "close":
            self._parens = max(0, self._parens - 1)
        elif kind == "word":
            word = text.upper()
            if (word == b"BEGIN" and _FUNCTION.match(self._skeleton)) or (
                self._bodies and word == b"CASE"
            ):
                self._bodies += 1
            elif self._bodies and word == b"END":
                self._bodies -= 1

    def _leave(self, line: bytes, position: int) -> int:
        """Go on inside a quote or comment; return where scanning continues."""
        if self._inside == "dollar":
            found = line.find(self._tag, position)
            end = len(line) if found < 0 else found + len(self._tag)
            self._text += line[position:end]
            if found >= 0:
                self._inside = None
            return end
        inside = self._inside or "string"
        for match in _CLOSERS[inside].finditer(line, position):
            token = match.group()
            if inside == "block":
                self._comments += 1 if token == b"/*" else -1
                if self._comments:
                    continue
                self._add(line[position : match.end()], b" ")
            elif len(token) > 1:  # doubled or escaped
                continue
            else:
                self._text += line[position : match.end()]
                code = line[position : match.end()] if inside == "ident" else b"'"
                self._skeleton += code
            self._inside = None
            return match.end()
        if inside == "block":
            self._add(line[position:], b" ")
        else:
            self._text += line[position:]
            self._skeleton += line[position:] if inside == "ident" else b""
        return len(line)

    def _take(self) -> Statement:
        done = Statement(bytes(self._text), bytes(self._skeleton).strip(), *self._start)
        self._owed = done if done.data_follows else None
        self._reset()
        return done
