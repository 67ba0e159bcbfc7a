"""Accounts, cards and wallets."""

import hashlib
import re
import string
from typing import Literal

import pydantic

from .base import Definition, Facts, Key, Kind, Mask, Parameters
from .checked import Checked, masked
from .checksum import ELEVEN, italian, luhn, mod97, weighted
from .permutation import Codes, Digits, blank, walk

TEXT = frozenset({Kind.TEXT})
_STRUCTURES = """
AD4N4n12c AE3N16n AL8N16c AT5N11n AZ4A20c BA3N3n8n2n BE3N7n2n BG4A4n2n8c BH4A14c BR8N5n10n1a1c
BY4C4n16c CH5N12c CR4N14n CY3N5n16c CZ4N6n10n DE8N10n DK4N9n1n DO4C20n EE2N2n11n1n EG4N4n17n
ES4N4n2n10n FI3N11n FO4N9n1n FR5N5n11c2n GB4A6n8n GE2A16n GI4A15c GL4N9n1n GR3N4n16c GT4C20c
HR7N10n HU3N4n1n15n1n IE4A6n8n IL3N3n13n IS4N2n6n10n IT1a5N5n12c JO4A4n18c KW4A22c KZ3N13c LB4N20c
LI5N12c LT5N11n LU3N13c LV4A13c MC5N5n11c2n MD2C18c ME3N13n2n MK3N10c2n MT4A5n18c MU4A4n12n3n3a
NL4A10n NO4N6n1n PK4A16c PL8N16n PS4A21c PT4N4n11n2n QA4A21c RO4A16c RS3N13n2n SA2N18c SC4A4n16n3a
SE3N16n1n SI5N8n2n SK4N6n10n SM1a5N5n12c TN2N3n13n2n TR5N1n16c UA6N19c VA3N15n VG4A16n XK4N10n2n
"""
"""Lengths and characters of accounts by country, the bank's code in capitals (ISO 13616)."""
_CLASSES = {"n": "[0-9]", "a": "[A-Z]", "c": "[0-9A-Z]"}
_LETTERS = dict(zip(string.ascii_uppercase, "12345678912345678923456789", strict=True))
"""The digits for which letters stand in a French account's check."""


def _structures() -> dict[str, tuple[re.Pattern[str], slice]]:
    found = {}
    for text in _STRUCTURES.split():
        shape, bank, place = "", slice(0), 0
        for width, kind in re.findall(r"(\d+)([a-zA-Z])", text[2:]):
            shape += _CLASSES[kind.lower()] + "{" + width + "}"
            if kind.isupper():
                bank = slice(place, place + int(width))
            place += int(width)
        found[text[:2]] = (re.compile(shape), bank)
    return found


_ACCOUNTS = _structures()


_CHECKS = {
    "BA": slice(14, 16),
    "BE": slice(10, 12),
    "ES": slice(8, 10),
    "FR": slice(21, 23),
    "IT": slice(0, 1),
    "MC": slice(21, 23),
    "ME": slice(16, 18),
    "MK": slice(13, 15),
    "NO": slice(10, 11),
    "PT": slice(19, 21),
    "RS": slice(16, 18),
    "SI": slice(13, 15),
    "SM": slice(0, 1),
}
"""Where the check digits of a country's own stand inside its accounts."""


def _check(country: str, account: str) -> str | None:
    """Return a country's own check digits for an account, or ``None`` if it can have none."""
    if country == "BE":
        return f"{int(account[:10]) % 97 or 97:02d}"
    if country == "ES":
        weights = (1, 2, 4, 8, 5, 10, 9, 7, 3, 6)
        return "".join(
            str(-weighted(part, weights) % ELEVEN).replace("10", "1")
            for part in (f"00{account[:8]}", account[10:])
        )
    if country in {"FR", "MC"}:
        number = int("".join(_LETTERS.get(char, char) for char in account[:21]) + "00")
        return f"{97 - number % 97:02d}"
    if country in {"IT", "SM"}:
        return italian(account[1:])
    if country == "NO":
        rest = -weighted(account[:10], (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % ELEVEN
        return None if rest == 10 else str(rest)  # noqa: PLR2004 - two digits
    return f"{98 - mod97(account[:-2] + '00'):02d}"


def _national(country: str, account: str) -> str | None:
    """Return an account with its country's own check digits, or ``None`` if it can have none."""
    where = _CHECKS.get(country)
    if where is None:
        return account
    found = _check(country, account)
    return None if found is None else account[: where.start] + found + account[where.stop :]


class Iban(Checked):
    """How an IBAN is masked."""

    bank: Literal["fake", "keep"] = pydantic.Field(
        default="fake",
        description="`fake` puts every account at a bank of zeros or X, which does not exist; "
        "`keep` keeps the bank and permutes the account, so that unique stays unique",
    )


def _valid_iban(number: str) -> bool:
    known = _ACCOUNTS.get(number[:2])
    return (
        known is not None
        and re.fullmatch("[0-9]{2}", number[2:4]) is not None
        and known[0].fullmatch(number[4:]) is not None
        and mod97(number[4:] + number[:4]) == 1
        and _national(number[:2], number[4:]) == number[4:]
    )


def _iban(parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Iban)  # noqa: S101 - the registry pairs them
    codes = Codes(key, "iban")

    def change(number: str) -> str:
        country, account = number[:2], number[4:]
        bank, check = _ACCOUNTS[country][1], _CHECKS.get(country, slice(0))
        taken = {*range(len(account))[bank], *range(len(account))[check]}
        free = [place for place in range(len(account)) if place not in taken]
        shell, source = list(account), account
        if parameters.bank == "fake":
            none = "9" if country == "NO" else "0"  # 0000 is the post office there
            shell[bank] = [none if char.isdigit() else "X" for char in account[bank]]
            source = codes(account)  # the bank's own account numbers follow its code

        def whole(text: str) -> str | None:
            for place, char in zip(free, text, strict=True):
                shell[place] = char
            return _national(country, "".join(shell))

        made = walk(codes, "".join(source[p] for p in free), lambda text: whole(text) is not None)
        account = whole(made) or made
        return f"{country}{98 - mod97(account + country + '00'):02d}{account}"

    return masked(key, "iban", parameters.invalid, _valid_iban, change)


def _iban_misfit(parameters: Parameters, facts: Facts) -> str | None:
    assert isinstance(parameters, Iban)  # noqa: S101 - the registry pairs them
    if facts.unique and parameters.bank == "fake":
        return "may give two accounts the same number; `bank: keep` does not"
    return None


def _bic(_parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    codes = Codes(key, "bic")

    def mask(value: str) -> str:
        match = re.fullmatch(
            r"(\s*)([A-Za-z]{4})([A-Za-z]{2})([A-Za-z0-9]{2})([A-Za-z0-9]{3})?(\s*)", value
        )
        if match is None:
            return blank(value)
        before, bank, country, place, branch, after = match.groups("")
        made = codes(bank + place + branch)
        # The second character 0 of the place marks a test code (ISO 9362).
        return f"{before}{made[:4]}{country}{made[4]}0{made[6:]}{after}"

    return mask


TEST_CARDS = {
    "3": {14: "305693", 15: "378282", 16: "353011"},
    "4": {13: "422222", 16: "400000", 19: "400000"},
    "2": {16: "222300"},
    "5": {16: "555555"},
    "6": {16: "601111", 19: "620000"},
}
"""First digits of the numbers that processors publish for tests, by first digit and length."""
_CARD = re.compile(r"[0-9]{12,19}")


class Card(Checked):
    """How a card number is masked."""

    numbers: Literal["test", "permuted"] = pydantic.Field(
        default="test",
        description="`test` starts like the numbers that processors publish for tests; `permuted` "
        "keeps the first digit only and unique stays unique, but may hit a number in use",
    )


def _valid_card(number: str) -> bool:
    return _CARD.fullmatch(number) is not None and luhn(number[:-1]) == number[-1]


def _card(parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Card)  # noqa: S101 - the registry pairs them
    permute = Digits(key, "card number")

    def change(number: str) -> str:
        if parameters.numbers == "permuted":
            made = number[0] + permute(number[1:-1])
            return made + luhn(made)
        start = TEST_CARDS.get(number[0], {}).get(len(number), number[0] + "00000")
        rest = permute(number[:-1])[len(start) :]
        if start + rest == number[:-1]:
            rest = permute(rest)
        return start + rest + luhn(start + rest)

    return masked(key, "card number", parameters.invalid, _valid_card, change)


def _card_misfit(parameters: Parameters, facts: Facts) -> str | None:
    assert isinstance(parameters, Card)  # noqa: S101 - the registry pairs them
    if facts.unique and parameters.numbers == "test":
        return "may give two cards the same number; `numbers: permuted` does not"
    return None


_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_ADDRESS = re.compile(rf"[{_BASE58}]{{25,35}}")
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def _base58(version: bytes, payload: bytes) -> str:
    raw = version + payload
    raw += hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4]
    number, made = int.from_bytes(raw, "big"), ""
    while number:
        number, place = divmod(number, 58)
        made = _BASE58[place] + made
    return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + made


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATORS):
            check ^= generator if top >> place & 1 else 0
    return check


def _bech32(version: int, payload: bytes) -> str:
    """Return a segregated-witness address of the test network (BIP 173, BIP 350)."""
    bits = "".join(f"{byte:08b}" for byte in payload)
    bits += "0" * (-len(bits) % 5)
    data = [version, *(int(bits[place : place + 5], 2) for place in range(0, len(bits), 5))]
    prefix = [ord(char) >> 5 for char in "tb"] + [0] + [ord(char) & 31 for char in "tb"]
    check = _polymod(prefix + data + [0] * 6) ^ (0x2BC830A3 if version else 1)
    data += [check >> 5 * (5 - place) & 31 for place in range(6)]
    return "tb1" + "".join(_BECH32[value] for value in data)


def _crypto(_parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    def mask(value: str) -> str:
        text = value.strip()
        if not text:
            return value
        folded = text.casefold()
        if re.fullmatch(r"0x[0-9a-f]{40}(?:[0-9a-f]{24})?", folded):
            return "0x" + key.digest("ethereum", folded, (len(text) - 2) // 2).hex()
        if re.fullmatch(r"(?:bc|tb)1[a-z0-9]{11,71}", folded):
            long = len(folded) > 42  # noqa: PLR2004 - 32 bytes instead of 20
            drawn = key.digest("bech32", folded, 32 if long else 20)
            return _bech32(1 if folded[3] == "p" else 0, drawn)
        if _BASE58_ADDRESS.fullmatch(text):
            # 111 and 196 are the versions of the test network's addresses.
            script = text[0] in "32"
            return _base58(b"\xc4" if script else b"\x6f", key.digest("base58", text, 20))
        message = "no address of Bitcoin or Ethereum"
        raise ValueError(message)

    return mask


def _crypto_misfit(_parameters: Parameters, facts: Facts) -> str | None:
    longest = 62
    if facts.max_length is not None and facts.max_length < 42:  # noqa: PLR2004 - the usual length
        return f"addresses have up to {longest} characters, but the column has {facts.max_length}"
    return None


DEFINITIONS = (
    Definition(
        name="iban",
        summary="Another account of the same country with valid check digits, at a fake bank.",
        accepts=TEXT,
        build=_iban,
        parameters=Iban,
        misfit=_iban_misfit,
        length_preserving=True,
    ),
    Definition(
        name="bic",
        summary="Another bank code of the same country, marked as a test code.",
        accepts=TEXT,
        build=_bic,
        misfit=lambda _parameters, facts: (
            "may give two banks the same code, but the column is unique" if facts.unique else None
        ),
        searchable=False,
        length_preserving=True,
    ),
    Definition(
        name="card_number",
        summary="A card number of the same kind, grouping and length that passes Luhn's test.",
        accepts=TEXT,
        build=_card,
        parameters=Card,
        misfit=_card_misfit,
        length_preserving=True,
        format_preserving=True,
    ),
    Definition(
        name="crypto_address",
        summary="A Bitcoin address of the test network or an Ethereum address; unique.",
        accepts=TEXT,
        build=_crypto,
        unique=True,
        misfit=_crypto_misfit,
    ),
)
