"""Addresses of machines and of the web."""

import ipaddress
import re
from typing import Literal

import pydantic

from .base import Definition, Facts, Key, Kind, Mask, Parameters
from .permutation import Permutation
from .person import SUFFIX, needs, words
from .vocabulary import fold, invented, pick

TEXT = frozenset({Kind.TEXT})
V6 = 6


class Ip(Parameters):
    """What of an address stays."""

    preserve: Literal["none", "prefix"] = pydantic.Field(
        default="none",
        description="`none` gives an address reserved for tests; `prefix` gives two addresses that "
        "share their first bits others that share as many (Crypto-PAn), and unique stays unique",
    )
    keep_prefix: int = pydantic.Field(
        default=0,
        ge=0,
        le=127,
        description="how many first bits stay as they are, with `preserve: prefix`",
    )


def _flipped(key: Key, number: int, width: int, kept: int) -> int:
    """Return a number whose every bit is flipped or not as the bits before it decide.

    Xu et al., *Prefix-Preserving IP Address Anonymization*, 2002: injective by construction. The
    last bit always flips, so that no address stays.
    """
    made = 0
    for start in range(0, width, 8):
        before = number >> (width - start)
        tree = int.from_bytes(key.digest(f"ip prefix {width}/{start}", f"{before:x}", 32), "big")
        byte = number >> (width - start - 8) & 0xFF
        node, flips = 1, 0
        for place in range(8):
            flip = tree >> node & 1 if start + place < width - 1 else 1
            flips = flips << 1 | (flip if start + place >= kept else 0)
            node = node << 1 | byte >> (7 - place) & 1
        made = made << 8 | (byte ^ flips)
    return made


def _reserved(key: Key, text: str, version: int) -> str:
    number = key.number("ip address", text)
    if version == V6:
        return str(ipaddress.IPv6Address((0x20010DB8 << 96) | number % (1 << 64)))
    # 198.18.0.0/15 is reserved for tests (RFC 2544)
    return str(ipaddress.IPv4Address((198 << 24 | 18 << 16) + number % (1 << 17)))


def _ip_address(parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Ip)  # noqa: S101 - the registry pairs them

    def mask(value: str) -> str:
        text, slash, size = value.strip().partition("/")
        if not text:
            return value
        address = ipaddress.ip_address(text)
        if parameters.preserve == "none":
            made = _reserved(key, text, address.version)
            return f"{made}{slash}{size}" if size in {"32", "128"} else made
        width = address.max_prefixlen
        if parameters.keep_prefix >= width:
            message = "keep_prefix would keep the whole address"
            raise ValueError(message)
        number = _flipped(key, int(address), width, parameters.keep_prefix)
        hosts = width - int(size or width)
        if hosts and int(address) % (1 << hosts) == 0:  # a network: no host bits may be set
            number = number >> hosts << hosts
        kind = ipaddress.IPv6Address if address.version == V6 else ipaddress.IPv4Address
        return f"{kind(number)}{slash}{size}"

    return mask


def _ip_misfit(parameters: Parameters, facts: Facts) -> str | None:
    assert isinstance(parameters, Ip)  # noqa: S101 - the registry pairs them
    if facts.unique and parameters.preserve == "none":
        return "may give two machines the same address; `preserve: prefix` does not"
    return None


class Mac(Parameters):
    """What of an address stays."""

    vendor: Literal["drop", "keep"] = pydantic.Field(
        default="drop",
        description="`drop` gives a locally administered address, which no maker gives out; `keep` "
        "keeps the maker's three bytes and permutes the others, so that unique stays unique",
    )


_MAC = re.compile(r"[0-9a-f]{12}(?:[0-9a-f]{4})?")
_LOCAL, _GROUP = 0x02, 0x01


def _mac_address(parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Mac)  # noqa: S101 - the registry pairs them
    known: dict[tuple[str, int], Permutation] = {}

    def other(digits: str) -> str:
        if parameters.vendor == "keep":
            maker, rest = digits[:6], digits[6:]
            place = (maker, len(rest))
            if place not in known:
                known[place] = Permutation(key, f"mac {maker}", 16 ** len(rest))
            return f"{maker}{known[place](int(rest, 16)):0{len(rest)}x}"
        drawn = bytearray(key.digest("mac", digits, len(digits) // 2))
        drawn[0] = drawn[0] & ~_GROUP | _LOCAL | int(digits[:2], 16) & _GROUP
        return drawn.hex()

    def mask(value: str) -> str:
        digits = re.sub("[^0-9a-f]", "", value.lower())
        if not value.strip():
            return value
        if not (_MAC.fullmatch(digits) and re.fullmatch(r"[0-9A-Fa-f:.\-\s]+", value)):
            message = "no MAC address"
            raise ValueError(message)
        made = iter(other(digits).upper() if value.upper() == value else other(digits))
        return re.sub("[0-9A-Fa-f]", lambda _digit: next(made), value)

    return mask


def _mac_misfit(parameters: Parameters, facts: Facts) -> str | None:
    assert isinstance(parameters, Mac)  # noqa: S101 - the registry pairs them
    if facts.unique and parameters.vendor == "drop":
        return "may give two devices the same address; `vendor: keep` does not"
    return None


def host(key: Key, name: str, *, unique: bool) -> str:
    """Return the fake of a host name under ``example.com``; its parent domains keep theirs."""
    labels = fold(name).rstrip(".").split(".")
    labels = labels[:-1] or labels
    made = []
    for place in range(len(labels)):
        scope = ".".join(labels[place:])
        word = pick(invented("last"), key.number("host", scope), scope).lower()
        if place == 0 and unique:
            word += key.digest("host", scope).hex()[:SUFFIX]
        made.append(word)
    return ".".join([*made, "example.com"])


def _hostname(_parameters: Parameters, facts: Facts, key: Key) -> Mask:
    def mask(value: str) -> str:
        if not value.strip():
            return value
        made = host(key, value.strip() + "." * (value.count(".") == 0), unique=True)
        token = f"h{key.digest('host', fold(value)).hex()[:SUFFIX]}"
        return made if facts.max_length is None or len(made) <= facts.max_length else token

    return mask


class Url(Parameters):
    """What of an address stays."""

    shape: Literal["flat", "path"] = pydantic.Field(
        default="flat",
        description="`flat` gives one page under example.com; `path` keeps the scheme, the port, "
        "the number of steps, the file's extension and the names of the query's parameters",
    )


_PARTS = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.\-]*:)?//(?P<user>[^/?#@]*@)?(?P<host>\[[^\]]*\]|[^/?#:]*)"
    r"(?P<port>:[0-9]*)?(?P<path>[^?#]*)(?P<query>\?[^#]*)?(?P<fragment>#.*)?",
    re.IGNORECASE | re.DOTALL,
)
_EXTENSION = re.compile(r"\.[a-z][a-z0-9]{1,3}")


def _shaped(key: Key, text: str) -> str:
    match = _PARTS.fullmatch(text)
    if match is None:
        message = "no address of the web"
        raise ValueError(message)

    def token(part: str, size: int = 8) -> str:
        return key.digest("url part", f"{text}\0{part}").hex()[: max(2, min(size, len(part)))]

    def step(found: re.Match[str]) -> str:
        stem, dot, end = found.group().rpartition(".")
        kept = dot + end if dot and stem and _EXTENSION.fullmatch(dot + end.lower()) else ""
        return token(stem if kept else found.group()) + kept

    def pair(found: re.Match[str]) -> str:
        return f"{found[1]}={token(found[2])}" if found[2] is not None else token(found[1])

    path = re.sub("[^/]+", step, match["path"])
    query = re.sub("([^?&;=]+)(?:=([^&;]*))?", pair, match["query"] or "")
    fragment = "#" + token(match["fragment"]) if match["fragment"] else ""
    name = host(key, match["host"], unique=False)
    return f"{match['scheme'] or ''}//{name}{match['port'] or ''}{path}{query}{fragment}"


def _url(parameters: Parameters, facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Url)  # noqa: S101 - the registry pairs them

    def mask(value: str) -> str:
        text = value.strip()
        if not text:
            return value
        token = key.digest("url", text).hex()[:SUFFIX]
        if parameters.shape == "path":
            made = _shaped(key, text)
        else:
            folded = fold(value)
            name = pick(invented("last"), key.number("url host", folded), folded).lower()
            made = f"https://{name}.example.com/{token}"
        return made if facts.max_length is None or len(made) <= facts.max_length else token

    return mask


def _url_misfit(parameters: Parameters, facts: Facts) -> str | None:
    assert isinstance(parameters, Url)  # noqa: S101 - the registry pairs them
    if facts.unique and parameters.shape == "path":
        return "may give two pages the same address; `shape: flat` does not"
    return needs(SUFFIX)(parameters, facts)


_CHROME = "{} AppleWebKit/537.36 Chrome/120.0.0.0"
_AGENTS = (
    (r"bot|crawl|spider|slurp", "Mozilla/5.0 (compatible; ExampleBot/1.0)"),
    (r"curl|wget|python|java/|okhttp|go-http", "ExampleClient/1.0"),
    (r"edg", f"{_CHROME} Safari/537.36 Edg/120.0.0.0"),
    (r"opr/|opera", f"{_CHROME} OPR/106.0.0.0"),
    (r"firefox|fxios", "{} Gecko/20100101 Firefox/120.0"),
    (r"chrome|crios", f"{_CHROME} Safari/537.36"),
    (r"safari", "{} AppleWebKit/605.1.15 Version/17.0 Safari/605.1.15"),
    (r"", "ExampleClient/1.0"),
)
_SYSTEMS = (
    (r"iphone|ipad", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)"),
    (r"android", "Mozilla/5.0 (Linux; Android 13)"),
    (r"mac os", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"),
    (r"linux|x11", "Mozilla/5.0 (X11; Linux x86_64)"),
    (r"", "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"),
)


def _user_agent(_parameters: Parameters, facts: Facts, _key: Key) -> Mask:
    def mask(value: str) -> str:
        if not value.strip():
            return value
        folded = value.casefold()
        system = next(made for shape, made in _SYSTEMS if re.search(shape, folded))
        made = next(made for shape, made in _AGENTS if re.search(shape, folded))
        return made.format(system)[: facts.max_length]

    return mask


def _agent_words(_parameters: Parameters) -> frozenset[str]:
    texts = [made for _shape, made in (*_AGENTS, *_SYSTEMS)]
    return frozenset(word for text in texts for word in re.findall(r"[^\W_]+", text.casefold()))


DEFINITIONS = (
    Definition(
        name="ip_address",
        summary="An address from a range reserved for tests, or one that keeps common prefixes.",
        accepts=frozenset({Kind.TEXT, Kind.NETWORK}),
        build=_ip_address,
        parameters=Ip,
        misfit=_ip_misfit,
    ),
    Definition(
        name="mac_address",
        summary="Another address in the same notation, locally administered.",
        accepts=frozenset({Kind.TEXT, Kind.NETWORK}),
        build=_mac_address,
        parameters=Mac,
        misfit=_mac_misfit,
        length_preserving=True,
    ),
    Definition(
        name="hostname",
        summary="A host under example.com; what shared a domain still does; unique.",
        accepts=TEXT,
        build=_hostname,
        unique=True,
        vocabulary=words,
        misfit=needs(SUFFIX + 1),
        folds=True,
    ),
    Definition(
        name="url",
        summary="An address under example.com; unique.",
        accepts=TEXT,
        build=_url,
        parameters=Url,
        unique=True,
        vocabulary=words,
        misfit=_url_misfit,
    ),
    Definition(
        name="user_agent",
        summary="A generic browser of the same family and system.",
        accepts=TEXT,
        build=_user_agent,
        keyed=False,
        searchable=False,
        vocabulary=_agent_words,
        misfit=lambda _parameters, facts: (
            "gives many rows the same text, but the column is unique" if facts.unique else None
        ),
    ),
)
