"""Just enough of SQLite's grammar: tokens, statements, and the parts of what a schema holds."""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(
    r"(?P<space>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))"
    r"|(?P<quoted>(?:'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`|\[[^\]]*\])"
    r"|['\"`\[].*)"  # a quote that nothing closes goes on to the end
    r"|(?P<word>[\w$]+)"
    r"|(?P<sign>.)",
    re.DOTALL,
)
_ORDER = {"asc", "desc"}


@dataclass(frozen=True)
class Token:
    """A piece of SQL: ``kind`` is space (comments too), quoted, word or sign."""

    kind: str
    text: str
    start: int

    @property
    def word(self) -> str:
        """The word in lower case, or an empty string."""
        return self.text.lower() if self.kind == "word" else ""


@dataclass(frozen=True)
class Statement:
    """One statement of a script and where it starts, both from 1."""

    text: str
    line: int
    column: int


def tokens(sql: str) -> Iterator[Token]:
    """Yield the tokens of a text; together they are the text."""
    for match in _TOKEN.finditer(sql):
        yield Token(match.lastgroup or "", match.group(), match.start())


def significant(sql: str) -> list[Token]:
    """Return the tokens that are neither space nor comment."""
    return [token for token in tokens(sql) if token.kind != "space"]


def normalised(sql: str) -> str:
    """Return SQL with every run of spaces and comments as one space."""
    return "".join(" " if t.kind == "space" else t.text for t in tokens(sql)).strip()


def statements(script: str) -> Iterator[Statement]:
    """Yield the statements of a script; a trigger's body belongs to its trigger."""
    start: int | None = None
    end, inside, before, places = 0, False, "", _Places(script)
    for token in tokens(script):
        if token.kind == "space":
            continue
        end = token.start + len(token.text)
        # Inside a trigger's body only a semicolon behind an END can be the last one.
        if token.text == ";" and (not inside or before == "end"):
            inside = start is not None and not sqlite3.complete_statement(script[start:end])
            if start is not None and not inside:
                yield places.statement(start, end)
                start = None
        elif start is None:
            start = token.start
        before = token.word
    if start is not None:
        yield places.statement(start, end)


class _Places:
    """Lines and columns of ascending places in a script, each counted from the one before."""

    def __init__(self, script: str) -> None:
        self._script, self._at, self._line = script, 0, 1

    def statement(self, start: int, end: int) -> Statement:
        """Return a statement with its place."""
        self._line += self._script.count("\n", self._at, start)
        self._at = start
        column = start - self._script.rfind("\n", 0, start)
        return Statement(self._script[start:end], self._line, column)


def head(sql: str, count: int) -> list[str]:
    """Return the first words of a statement in lower case."""
    found = []
    for token in tokens(sql):
        if token.kind != "space":
            found.append(token.word)
            if len(found) == count:
                break
    return found


def closing(found: Sequence[Token], opened: int) -> int:
    """Return the position of the parenthesis that closes the one at ``opened``."""
    depth = 0
    for position in range(opened, len(found)):
        if found[position].text == "(":
            depth += 1
        elif found[position].text == ")":
            depth -= 1
            if not depth:
                return position
    return len(found) - 1


def checks(sql: str) -> tuple[str, ...]:
    """Return the CHECK constraints of a table's SQL."""
    found = significant(sql)
    texts = []
    for position, token in enumerate(found[:-1]):
        if token.word == "check" and found[position + 1].text == "(":
            last = found[closing(found, position + 1)]
            texts.append(normalised(sql[token.start : last.start + 1]))
    return tuple(sorted(texts))


def table_options(sql: str) -> tuple[str, ...]:
    """Return a table's options: AUTOINCREMENT, STRICT, WITHOUT ROWID."""
    found = significant(sql)
    words = [token.word for token in found]
    last = max((n for n, token in enumerate(found) if token.text == ")"), default=len(found))
    options = ["AUTOINCREMENT"] if "autoincrement" in words else []
    after = words[last:]
    options += ["STRICT"] if "strict" in after else []
    options += ["WITHOUT ROWID"] if "rowid" in after else []
    return tuple(options)


def index_key(sql: str) -> str:
    """Return what an index is over, ``(a, lower(b)) WHERE c``, from its CREATE INDEX."""
    found = significant(sql)
    on = next((n for n, token in enumerate(found) if token.word == "on"), 0)
    opened = next((n for n, t in enumerate(found) if n > on and t.text == "("), 0)
    return normalised(sql[found[opened].start :]).rstrip("; ")


def key_parts(expression: str) -> tuple[tuple[str, ...], str | None]:
    """Take ``(a, lower(b)) WHERE c`` apart: the parts without their order, and the condition."""
    found = significant(expression)
    end = closing(found, 0)
    parts, first, depth = [], 1, 0
    for position in range(1, end + 1):
        text = found[position].text
        if position == end or (text == "," and not depth):
            parts.append(_part(expression, found[first:position]))
            first = position + 1
        depth += {"(": 1, ")": -1}.get(text, 0)
    rest = expression[found[end].start + 1 :].strip()
    condition = re.sub(r"(?is)\Awhere\b", "", rest).strip()
    return tuple(parts), condition or None


def _part(sql: str, part: Sequence[Token]) -> str:
    if part and part[-1].word in _ORDER:
        part = part[:-1]
    return sql[part[0].start : part[-1].start + len(part[-1].text)] if part else ""


def names_in(sql: str) -> set[str]:
    """Return every name that a text may mean, in lower case; string literals are no names."""
    found = set()
    for token in tokens(sql):
        if token.kind == "word":
            found.add(token.word)
        elif token.kind == "quoted" and token.text[0] != "'":
            found.add(unquoted(token.text).lower())
    return found


def unquoted(text: str) -> str:
    """Return the name that a quoted token means."""
    close = "]" if text[0] == "[" else text[0]
    return text[1:-1].replace(close * 2, close)
