"""What single anonymizers promise about the shape and the meaning of their fakes."""

import base64
import hashlib
import ipaddress
import json
import math
import re
from decimal import Decimal

import bcrypt
import pytest

from dbcycle_assets.anonymizers import Facts, Key, Kind, build_mask, parameters_of
from dbcycle_assets.anonymizers.permutation import Digits, Permutation
from dbcycle_assets.anonymizers.phone import code_of
from dbcycle_assets.anonymizers.vocabulary import invented, locales, real_names

from .samples import JWT, KEY, PICTURES


def mask_of(name, kind=Kind.TEXT, **options):
    return build_mask(name, options, Facts(kind), KEY)


def test_an_email_is_the_same_whatever_its_case():
    """Addresses are compared as mail does."""
    mask = mask_of("email")
    assert mask("Mary@X.example") == mask(" mary@x.EXAMPLE ")


def test_colleagues_share_a_mapped_domain():
    """Who shared a domain still does, and nobody can be reached there."""
    mask = mask_of("email", domain="map")
    hosts = {mask(f"{name}@Corp.example").split("@")[1] for name in ("mary", "john")}
    assert len(hosts) == 1
    assert hosts.pop().endswith(".example.com")
    assert mask_of("email", domain="keep")("mary@corp.example").endswith("@corp.example")


def test_a_plus_tag_stays_one_persons():
    """With its tag an address is another fake of the same account."""
    mask = mask_of("email", plus_tags="keep")
    news, shop, plain = map(mask, ("mary+news@x.example", "mary+shop@x.example", "mary@x.example"))
    assert len({news, shop, plain}) == 3
    assert news.split("+")[0] == shop.split("+")[0] == plain.split("@")[0]


@pytest.mark.parametrize(
    ("digits", "code"),
    [("12125550147", "1"), ("79161234567", "7"), ("491701", "49"), ("35312", "353")],
)
def test_a_calling_code_has_one_to_three_digits(digits, code):
    """Country codes are read as the ITU gives them out."""
    assert code_of(digits) == code


def test_a_phone_number_is_one_person_in_every_notation():
    """International and national forms of a number get the same digits."""
    mask = mask_of("phone")
    forms = ["+491705551234", "0049 170 5551234", "0170/5551234", "+49 (0)170 555-12-34"]
    made = [re.sub(r"\D", "", mask(form)) for form in forms]
    assert {number[-10:] for number in made} == {made[0][-10:]}
    assert [number[: len(number) - 10] for number in made] == ["49", "0049", "0", "490"]


def test_fictional_numbers_ring_nowhere():
    """North American and British fakes lie in the ranges kept for fiction."""
    mask = mask_of("phone", numbers="fictional")
    assert re.fullmatch(r"\+1 \(\d{3}\) 555-01\d\d", mask("+1 (212) 736-5000"))
    assert mask("+44 7911 123456").startswith("+44 7700 900")
    assert mask("+44 20 7946 1234").startswith("+44 20 7946 0")
    assert mask("+44 1904 123456").startswith("+44 1632 960")
    assert mask("+49 170 5551234") == mask_of("phone")("+49 170 5551234")


def test_a_name_beside_a_number_does_not_slip_through():
    """Words in a phone column are masked with the digits."""
    made = mask_of("phone")("call Mary 555 0147")
    assert "mary" not in made.lower()
    assert mask_of("phone")("tel. 030 1234567 ext. 12").startswith("tel. 0")


def test_prefixes_of_addresses_are_preserved():
    """Two addresses that share n bits get fakes that share n bits, no more."""
    mask = mask_of("ip_address", preserve="prefix", keep_prefix=8)
    values = ["10.1.2.3", "10.1.2.4", "10.1.130.4", "10.99.2.3"]
    numbers = {value: int(ipaddress.ip_address(value)) for value in values}
    made = {value: int(ipaddress.ip_address(mask(value))) for value in values}
    for one in values:
        assert made[one] >> 24 == 10
        assert made[one] != numbers[one]
        for two in values:
            assert (made[one] ^ made[two]).bit_length() == (
                numbers[one] ^ numbers[two]
            ).bit_length()
    everything = {mask(f"10.0.{a}.{b}") for a in range(4) for b in range(256)}
    assert len(everything) == 1024


def test_a_network_stays_a_network():
    """A cidr value has no host bits, before and after."""
    made = mask_of("ip_address", Kind.NETWORK, preserve="prefix")("10.1.2.0/24")
    assert ipaddress.ip_network(made).prefixlen == 24


def test_hosts_share_their_domain():
    """Machines of one domain stay together under a reserved one."""
    mask = mask_of("hostname")
    one, two = mask("db01.corp.example"), mask("WEB.corp.example")
    assert one.split(".")[1:] == two.split(".")[1:]
    assert one.endswith(".example.com")


def test_a_url_keeps_its_shape_and_loses_its_words():
    """Scheme, port, depth, extension and parameter names stay; user and values go."""
    value = "https://mary:pw@corp.example:8443/users/mary/cv.pdf?id=mary&page=2#mary"
    made = mask_of("url", shape="path")(value)
    assert re.fullmatch(
        r"https://\w+\.example\.com:8443/\w+/\w+/\w+\.pdf\?id=\w+&page=\w+#\w+", made
    )
    assert "mary" not in made


def test_a_mac_address_is_locally_administered():
    """No maker gave the fake out, or its maker's bytes stay by wish."""
    made = mask_of("mac_address")("00:1b:44:11:3a:b7")
    assert int(made[:2], 16) & 3 == 2
    assert mask_of("mac_address", vendor="keep")("00:1b:44:11:3a:b7").startswith("00:1b:44:")


@pytest.mark.parametrize("value", ["52.5200, 13.4050", "89.99999,179.99999", "-33.86,151.2", "0,0"])
def test_a_place_moves_within_its_bounds(value):
    """The distance lies between the bounds, at the resolution of what was written."""
    made = mask_of("coordinates", min_metres=500, max_metres=2000)(value)
    (lat, lon), (north, east) = (map(float, text.split(",")) for text in (value, made))
    step = 111_320 * 10 ** -min(len(part.partition(".")[2]) for part in value.split(","))
    away = math.hypot(north - lat, ((east - lon + 180) % 360 - 180) * math.cos(math.radians(lat)))
    assert made != value
    assert away * 111_320 <= 2000 + 2 * step


def test_noise_stays_inside_its_bounds():
    """No number moves further than it may, none stays, and smallint stays smallint."""
    mask = mask_of("noise", Kind.NUMERIC, relative=0.1)
    for number in (Decimal("12.50"), Decimal("-99.99"), Decimal(32767), Decimal("9" * 40)):
        made = Decimal(mask(str(number)))
        assert made != number
        assert abs(made - number) <= abs(number) / 10 + 1
        assert made.as_tuple().exponent == number.as_tuple().exponent
        assert len(str(abs(int(made)))) <= len(str(abs(int(number))))
    whole = mask_of("noise", Kind.INTEGER, relative=1.0)
    assert int(whole("32767")) <= 32767
    for edge in (2**15, 2**31, 2**63):
        assert -edge <= int(whole(str(-edge)))
    assert all(int(whole(str(n))) >= 0 for n in range(50))
    clamped = mask_of("noise", Kind.INTEGER, absolute=50, minimum=0, maximum=10)
    assert {0 <= int(clamped(str(n))) <= 10 for n in range(11)} == {True}


def test_ranges_and_steps():
    """Buckets and steps say in which class a number was, and no more."""
    assert mask_of("bucket", width=10)("-3") == "-10"
    label = mask_of("bucket", edges=[0, 18, 65], give="label")
    assert list(map(label, ("-1", "0", "64.5", "65"))) == ["<0", "0-18", "18-65", "65+"]
    assert mask_of("bucket", edges=[0, 18])("-7") == "-1"
    assert mask_of("round", to="0.5")("1.30") == "1.5"
    assert mask_of("round", Kind.INTEGER, to=1000)("32767") == "32000"
    assert parameters_of("bucket", {"width": 5})


@pytest.mark.parametrize(
    ("to", "made"),
    [
        ("day", "2024-08-17"),
        ("month", "2024-08-01"),
        ("quarter", "2024-07-01"),
        ("year", "2024-01-01"),
        ("decade", "2020-01-01"),
    ],
)
def test_a_date_is_rounded_down(to, made):
    """What comes out is the first moment of the period, in the same time zone."""
    assert mask_of("date_round", to=to)("2024-08-17") == made
    assert mask_of("date_round", to=to)("2024-08-17 10:11:12.5+02") == f"{made} 00:00:00+02"


def test_a_birth_date_keeps_its_band():
    """Ages stay in the band, and the day is another."""
    mask = mask_of("birth_date", keep="age_band", band=10)
    years = {int(mask(f"198{n}-05-05")[:4]) for n in range(10)}
    assert len(years) > 3
    assert {year // 10 for year in years} == {198}


def test_ranges_move_as_a_whole():
    """A range keeps its length and its bounds; together, ranges keep their order."""
    made = mask_of("range", Kind.RANGE)("[2024-01-01,2024-02-01)")
    start, end = (text.strip("[)") for text in made.split(","))
    assert start != "2024-01-01"
    assert base_days(end) - base_days(start) == 31
    mask = mask_of("range", Kind.RANGE, together=True)
    starts = [int(mask(f"[{n},{n + 2})").strip("[").split(",")[0]) for n in range(5)]
    assert starts == list(range(starts[0], starts[0] + 5))


def base_days(text):
    import datetime

    return datetime.date.fromisoformat(text).toordinal()


def test_a_pattern_is_matched():
    """What comes out matches the pattern; uniqueness is judged by the size of its language."""
    pattern = r"[A-Z]{3}-\d{4}(?:/(?:x|[a-f]{1,2}))?"
    mask = mask_of("pattern", pattern=pattern)
    made = {mask(str(n)) for n in range(500)}
    assert all(re.fullmatch(pattern, text) for text in made)
    assert len(made) > 490
    assert {mask_of("pattern", pattern="a|b")(text) for text in "ab"} == {"a", "b"}


def test_what_stays_readable_is_never_most_of_it():
    """Short texts are hidden whole."""
    mask = mask_of("mask", keep_first=2, keep_last=2)
    assert mask("4111 1111") == "41** **11"
    assert mask("abc") == "***"
    assert mask_of("mask", keep_first=2)("ab--") == "**--"
    assert mask_of("truncate", length=3)("abcd") == "ab"


def test_hashes_open_with_the_test_password():
    """Each scheme is read by the library that applications use."""
    made = mask_of("password_hash")("x")
    assert bcrypt.checkpw(b"testtest", made.encode())
    django = mask_of("password_hash", scheme="django_bcrypt_sha256")("x")
    inner = hashlib.sha256(b"testtest").hexdigest().encode()
    assert bcrypt.checkpw(inner, django.removeprefix("bcrypt_sha256$").encode())
    _, work, salt, block, parallel, text = mask_of("password_hash", scheme="scrypt")("x").split("$")
    raw = hashlib.scrypt(
        b"testtest",
        salt=salt.encode(),
        n=int(work),
        r=int(block),
        p=int(parallel),
        maxmem=1 << 26,
        dklen=64,
    )
    assert base64.b64decode(text) == raw


def test_each_hash_keeps_its_scheme():
    """Accounts of an application that changed its scheme can all log in."""
    mask = mask_of("password_hash", scheme="same")
    made = mask("$2y$12$" + "a" * 53)
    assert made.startswith("$2y$10$")
    assert bcrypt.checkpw(b"testtest", made.replace("$2y$", "$2b$").encode())
    for start in (
        "pbkdf2_sha256$",
        "bcrypt_sha256$$2b$",
        "scrypt$",
        "scrypt:",
        "pbkdf2:sha256:",
        "!",
    ):
        whole = {
            "scrypt$": "scrypt$1$",
            "scrypt:": "scrypt:1:",
            "pbkdf2:sha256:": "pbkdf2:sha256:1$",
        }
        assert mask(whole.get(start, start) + "x").startswith(start)


def test_argon2_opens_with_the_test_password():
    """Argon2 is there for those who install its package."""
    argon2 = pytest.importorskip("argon2", reason="argon2-cffi is not installed")
    made = mask_of("password_hash", scheme="argon2")("x")
    assert argon2.PasswordHasher().verify(made, "testtest")
    assert mask_of("password_hash", scheme="django_argon2")("x").startswith("argon2$argon2id$")
    assert mask_of("password_hash", scheme="same")("$argon2id$v=19$x").startswith("$argon2id$")


def test_a_token_looks_like_a_token():
    """Prefixes, length and a JWT's parts stay, so that what parses tokens still does."""
    mask = mask_of("token", style="same")
    made = mask("sk_live_4eC39HqLyjWDarjtT1zdp7dc")
    assert re.fullmatch(r"sk_test_[A-Za-z0-9]{24}", made)
    parts = mask(JWT).split(".")
    assert list(map(len, parts)) == list(map(len, JWT.split(".")))
    assert json.loads(base64.urlsafe_b64decode(parts[0] + "==="))["alg"] == "HS256"
    assert "mary" not in str(json.loads(base64.urlsafe_b64decode(parts[1] + "===")))


def test_xml_stays_xml_and_unknown_leaves_are_masked():
    """Texts and attributes are masked, paths decide, structure stays, comments go."""
    mask = mask_of("xml", Kind.XML, paths={"/a/@id": "keep", "/a/b": "full_name", "/*/c": "keep"})
    value = '<?xml version="1.0"?><a id="7" x="Mary"><!--Mary--><b>Mary <i>Smith</i></b><c>k</c>\n<d/></a>'
    made = mask(value)
    assert made.startswith('<?xml version="1.0"?><a id="7" x="')
    assert made.endswith("<c>k</c>\n<d/></a>")
    assert "Mary" not in made
    assert "Smith" not in made
    assert (
        mask_of("xml", default="keep")('<a b="&lt;&quot;">&amp;</a>') == "<a b='&lt;\"'>&amp;</a>"
    )


def test_hstore_keeps_its_keys():
    """Values are masked by key; NULL and blanks stay."""
    mask = mask_of("hstore", keys={"kept": "keep", "gone": "null"})
    made = mask('"kept"=>"1", "gone"=>"2", "x"=>NULL, "name"=>"Mary", "e"=>""')
    assert made.startswith('"kept"=>"1", "gone"=>NULL, "x"=>NULL, "name"=>"')
    assert "Mary" not in made


@pytest.mark.parametrize("value", PICTURES)
def test_a_picture_keeps_its_format(value):
    """A reader of the format still finds its first bytes, and none of the original's."""
    made = bytes.fromhex(mask_of("picture", Kind.BYTES)(value).removeprefix("\\x"))
    assert made[:4] == bytes.fromhex(value.removeprefix("\\x"))[:4]
    assert mask_of("picture", Kind.BYTES)("\\x") == "\\x"


def test_the_first_rows_of_other_formats_stop():
    """What is neither PNG, GIF nor PDF has another rule."""
    with pytest.raises(ValueError, match="neither"):
        mask_of("picture", Kind.BYTES)("\\x00")


def test_negative_keys_stay_keys():
    """No two small integers meet, whatever their sign, and every type's edge stays inside it."""
    mask = mask_of("integer", Kind.INTEGER)
    assert len({mask(str(n)) for n in range(-2000, 2000)}) == 4000
    for edge in (2**15, 2**31, 2**63):
        assert -edge <= int(mask(str(-edge)))
        assert int(mask(str(edge - 1))) < edge


def test_a_long_text_of_digits_changes_all_over():
    """A permutation of a hundred digits leaves no half of them as it was."""
    value = "".join(str(n % 10) for n in range(100))
    made = Digits(KEY, "test")(value)
    assert sum(a == b for a, b in zip(made, value, strict=True)) < 30
    tiny = Permutation(KEY, "test", 1)
    assert tiny(0) == 0


def test_invented_names_are_nobodys():
    """No invented name occurs in a list of real ones, in any language."""
    real = real_names()
    assert len(locales()) > 50
    assert {"smith", "karaca", "müller"} <= real
    made = {name.casefold() for kind in ("first", "last") for name in invented(kind)}
    for locale in ("de_DE", "ru_RU", "ja_JP", "ar_SA"):
        parameters = parameters_of("full_name", {"locale": locale})
        made |= {name.casefold() for kind in ("first", "last") for name in parameters.pool(kind)}
    assert len(made) > 10_000
    assert not made & real


def test_countries_stay_in_their_form():
    """A code becomes a code, and one country the same one in every form."""
    mask = mask_of("country")
    assert re.fullmatch("[A-Z]{2}", mask("DE"))
    assert re.fullmatch("[a-z]{3}", mask("deu"))
    assert mask_of("country", to="continent")("germany") == "Europe"


@pytest.mark.parametrize(
    ("kind", "value", "low", "high"),
    [
        (Kind.INTEGER, "32767", 10_000, 32_767),
        (Kind.INTEGER, "-32768", -32_768, -10_000),
        (Kind.INTEGER, "2147483647", 10**9, 2**31 - 1),
        (Kind.INTEGER, "-9223372036854775808", -(2**63), -(10**18)),
        (Kind.FLOAT, "3.4028235e+38", 1e38, 3.4e38),
        (Kind.FLOAT, "1.7976931348623157e+308", 1e308, 1.79e308),
        (Kind.FLOAT, "5e-324", 5e-324, 1e-300),
        (Kind.NUMERIC, "-1e+308", -1.79e308, -1e308),
    ],
)
def test_a_number_at_the_edge_of_its_type_stays_inside(kind, value, low, high):
    """Other digits never make a number that its column cannot hold, or one that is infinite."""
    for seed in range(200):
        mask = build_mask("number", {}, Facts(kind), Key(f"edge {seed:032}".encode()))
        assert low <= (int if kind is Kind.INTEGER else float)(mask(value)) <= high


@pytest.mark.parametrize(
    ("value", "year"),
    [
        ("9999-12-31", 9999),
        ("9999-12-31 23:59:59", 9999),
        ("0001-01-01", 1),
        ("294276-12-31", 294276),
    ],
)
def test_a_date_that_stands_for_never_can_still_be_read(value, year):
    """Programs cannot read a year 10000, so the last day of time moves back and not on."""
    for seed in range(100):
        mask = build_mask("date", {}, Facts(Kind.DATE), Key(f"never {seed:032}".encode()))
        assert int(mask(value).split("-")[0]) == year
        assert "BC" not in mask(value)
        assert mask(value) != value
