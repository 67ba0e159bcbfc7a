"""Invented inputs for every anonymizer, as its columns would hold them, and ways to set it."""

import base64
from dataclasses import dataclass, field

from dbcycle_assets.anonymizers import Key, Kind, registry

KEY, OTHER = Key(b"first secret of the tests"), Key(b"second secret of the tests")

VALUES = {
    Kind.TEXT: ["Mary Smith", "mary.smith@corp.example", "+49 170 5551234", "A-17/b", "ÅSA ÖBERG"],
    Kind.INTEGER: ["0", "7", "42", "-13", "32767", "99999", "2147483647", "9223372036854775807"],
    Kind.NUMERIC: ["12.50", "-0.001", "123456789012345678901234567890.5", "NaN"],
    Kind.FLOAT: ["1.5", "1e-300"],
    Kind.BOOLEAN: ["true", "false"],
    Kind.DATE: ["2024-02-29", "0001-01-01", "0044-03-15 BC", "infinity", "294276-12-31"],
    Kind.TIMESTAMP: ["2024-02-29 23:59:59.999999+00", "-infinity", "0001-01-01 00:00:00+00 BC"],
    Kind.TIME: ["23:59:59", "08:15:00.25+02", "24:00:00"],
    Kind.INTERVAL: ["1 year 2 mons 3 days 04:05:06.789", "-1 days +02:03:00", "00:00:00"],
    Kind.RANGE: [
        "[1,10)",
        '["2024-01-01 00:00:00","2024-02-01 12:00:00")',
        "[2024-01-01,)",
        "empty",
        "{[1,3),[7,9)}",
    ],
    Kind.UUID: ["550e8400-e29b-41d4-a716-446655440000"],
    Kind.JSON: ['{"name": "Mary", "kept": 1.50, "more": [null, true, "mary@x.example"]}', '"x y"'],
    Kind.XML: ['<a b="mary@x.example">Mary &amp; Smith<c/></a>', "Mary <b>Smith</b> lives"],
    Kind.BYTES: ["\\x", "\\x00ff10"],
    Kind.TSVECTOR: ["'fat':2 'rat':3A", "'it''s':1"],
    Kind.NETWORK: ["10.1.2.3", "10.1.2.3/32", "2001:db9::1"],
    Kind.ENUM: ["a"],
}
MOMENTS = {kind: VALUES[kind] for kind in (Kind.DATE, Kind.TIMESTAMP)}
PICTURES = [f"\\x{raw.hex()}" for raw in (b"\x89PNG\r\n\x1a\nabc", b"GIF89a...", b"%PDF-1.7 x")]
JWT = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=")
    for part in (b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"mary","name":"Mary"}', b"x" * 32)
)
CARDS = ["4242 4242 4242 4242", "5500-0055-5555-5559", "371449635398431", "6011111111111117"]


@dataclass(frozen=True)
class Sample:
    """One way to set a rule, with texts of its own format and the columns that it is tried on."""

    name: str
    options: dict[str, object] = field(default_factory=dict)
    texts: list[str] | None = None
    kinds: dict[Kind, list[str]] = field(default_factory=dict)

    @property
    def columns(self):
        """Return the values by kind of column."""
        found = {kind: VALUES[kind] for kind in registry()[self.name].accepts if kind in VALUES}
        if self.texts is not None and Kind.TEXT in registry()[self.name].accepts:
            found[Kind.TEXT] = self.texts
        return dict(sorted({**found, **self.kinds}.items()))

    @property
    def id(self):
        """Return a short name for test reports and for the snapshot."""
        shown = ",".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.name}({shown})" if shown else self.name


IDS = {
    "AU": ["180340635", "763 972 508"],
    "BR": ["252.532.812-40", "11.222.333/0001-81"],
    "CA": ["130 692 544", "193-456-787"],
    "CH": ["756.9217.0769.85"],
    "DE": ["50 935 821 572"],
    "ES": ["12345678Z", "X1234567L", "67305221e"],
    "FR": ["1 80 03 13 577 714 13", "262127588382614"],
    "GB": ["AB 12 34 56 C", "JG103759A"],
    "IT": ["RSSMRA85T10A562S", "OTNSUE41A24G404E"],
    "NL": ["111222333", "171308281"],
    "PL": ["44051401359", "00081401464"],
    "SE": ["640823-3234", "19640823-3234"],
    "US": ["536-90-4399", "219099998"],
}
SAMPLES = [
    Sample("barcode", texts=["4006381333931", "73513537", "036000291452"]),
    Sample("barcode", {"invalid": "permute"}, ["4006381333932", "12345", "4006381333931"]),
    Sample("bic", texts=["DEUTDEFF", "DEUTDEFF500", "NEDSZAJJXXX"]),
    Sample("birth_date", texts=["1980-05-05", "2000-02-29"], kinds=MOMENTS),
    Sample("birth_date", {"keep": "age_band"}, ["1980-05-05", "2000-02-29"], MOMENTS),
    Sample("bucket", {"width": "10"}, ["7", "-3", "29.5"]),
    Sample("bucket", {"edges": ["0", "18", "65"], "give": "label"}, ["7", "-3", "70"], {}),
    Sample("bytes"),
    Sample("card_number", texts=CARDS),
    Sample("card_number", {"numbers": "permuted"}, CARDS),
    Sample("choice", {"values": ["a", "b", "c", "d", "e", "f", "g"]}),
    Sample("city"),
    Sample("code", texts=["C01X00T47", "B-MW 1234", "x7"]),
    Sample("code", {"alphabet": "hex"}, ["deadbeef01", "DEADBEEF01"]),
    Sample("code", {"alphabet": "base58"}, ["3mJr7AoUXx2Wqd"]),
    Sample("colour", texts=["red", "#ff00aa", "Dark violet"]),
    Sample("company"),
    Sample("constant", {"value": "7"}),
    Sample(
        "coordinates",
        texts=["52.5200, 13.4050", "(13.405,52.52)", "POINT(13.405 52.52)", "89.9999,179.9999"],
        kinds={Kind.OTHER: ["(13.405,52.52)"], Kind.NUMERIC: [], Kind.FLOAT: []},
    ),
    Sample(
        "coordinates",
        {"axis": "latitude"},
        ["52.52", "-89.99"],
        {Kind.NUMERIC: ["52.520008", "0"], Kind.FLOAT: ["-33.8688197"]},
    ),
    Sample("country", texts=["Germany", "DE", "deu", "Ruritania"]),
    Sample("country", {"to": "continent"}, ["Germany", "DE", "JPN"]),
    Sample(
        "crypto_address",
        texts=[
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            "0x52908400098527886E0F7030069857D2E4169EE7",
        ],
    ),
    Sample("date", texts=VALUES[Kind.DATE]),
    Sample("date_round", texts=VALUES[Kind.DATE], kinds=MOMENTS),
    Sample("date_round", {"to": "quarter"}, ["2024-02-29", "2024-11-30 10:00:00+02"], MOMENTS),
    Sample("date_round", {"to": "decade"}, ["2024-02-29"], MOMENTS),
    Sample("department", texts=["Human Resources", "IT"]),
    Sample("digits", texts=["A-17/b", "2024/0042", "9" * 90]),
    Sample("email"),
    Sample("email", {"domain": "keep"}, ["mary@corp.example", "John@Corp.example"]),
    Sample("email", {"domain": "map"}, ["mary@corp.example", "John@Corp.example"]),
    Sample("email", {"plus_tags": "keep"}, ["mary+news@x.example", "mary+shop@x.example"]),
    Sample("faker", {"provider": "job"}),
    Sample("file_name", texts=["/home/mary/Scan 12.pdf", "mary.tar.gz", "README", "C:\\a\\m.doc"]),
    Sample("first_name"),
    Sample("first_name", {"gender": "female"}),
    Sample("first_name", {"locale": "ru_RU"}),
    Sample("free_text"),
    Sample("full_name"),
    Sample("full_name", {"locale": "ja_JP"}),
    Sample("full_name", {"locale": "de_DE", "gender": "male"}),
    Sample(
        "generalize",
        {"classes": {"flu": "respiratory", "asthma": "respiratory"}, "default": "other"},
        ["Flu", "asthma ", "gout"],
    ),
    Sample("hash"),
    Sample("hash", {"length": 64, "encoding": "base64"}),
    Sample("hash", {"length": 20, "encoding": "base32"}),
    Sample("hostname", texts=["db01.prod.corp.example", "web.prod.corp.example", "laptop"]),
    Sample(
        "hstore",
        {"keys": {"name": "full_name", "kept": "keep"}},
        ['"name"=>"Mary", "kept"=>"1", "x"=>NULL, "mail"=>"mary@x.example"', '"a\\"b"=>"c\\\\d e"'],
        {Kind.OTHER: ['"name"=>"Mary Smith"']},
    ),
    Sample("iban", texts=["DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819"]),
    Sample("iban", {"bank": "keep"}, ["NO9386011117947", "FR1420041010050500013M02606"]),
    Sample("imei", texts=["490154203237518", "35-209900-176148-1"]),
    Sample("integer"),
    Sample("interval", texts=VALUES[Kind.INTERVAL]),
    Sample("ip_address", texts=["10.1.2.3", "2001:db9::1"]),
    Sample("ip_address", {"preserve": "prefix", "keep_prefix": 8}, VALUES[Kind.NETWORK]),
    Sample("isbn", texts=["978-3-16-148410-0", "0-306-40615-2", "0-8044-2957-X"]),
    Sample("job_title", texts=["Head of Gardening", "CEO"]),
    Sample("json", {"paths": {"$.name": "full_name", "$.kept": "keep"}}, texts=VALUES[Kind.JSON]),
    Sample("last_name"),
    Sample(
        "mac_address",
        texts=["00:1B:44:11:3a:b7", "001b.4411.3ab7", "00-1B-44-11-3A-B7"],
        kinds={Kind.NETWORK: ["08:00:2b:01:02:03", "08:00:2b:01:02:03:04:05"]},
    ),
    Sample(
        "mac_address",
        {"vendor": "keep"},
        ["00:1b:44:11:3a:b7"],
        {Kind.NETWORK: ["08:00:2b:01:02:03"]},
    ),
    Sample("mask"),
    Sample("mask", {"keep_first": 2, "keep_last": 3}),
    *(Sample("national_id", {"country": country}, texts) for country, texts in IDS.items()),
    Sample("national_id", {"country": "US", "numbers": "permuted"}, IDS["US"]),
    Sample("noise", texts=["10", "12.50", "0"]),
    Sample("noise", {"absolute": "5", "minimum": "0", "maximum": "130"}, ["42", "129"]),
    Sample("null"),
    Sample("number"),
    Sample("password_hash"),
    Sample("password_hash", {"scheme": "pbkdf2_sha256"}),
    Sample("password_hash", {"scheme": "scrypt"}),
    Sample("password_hash", {"scheme": "django_bcrypt_sha256"}),
    Sample("password_hash", {"scheme": "werkzeug_scrypt"}),
    Sample("password_hash", {"scheme": "werkzeug_pbkdf2"}),
    Sample("password_hash", {"scheme": "same"}, ["$2y$12$abc", "pbkdf2_sha256$1$a$b", "!unusable"]),
    Sample("pattern", {"pattern": r"[A-Z]{3}-\d{4}(/[a-f]{1,2})?"}),
    Sample(
        "phone", texts=["+49 170 5551234", "(212) 555-0147", "0044 20 7946 0018 ext. 12", "n/a"]
    ),
    Sample(
        "phone",
        {"numbers": "fictional", "calling_code": "1"},
        ["(212) 736-5000", "+44 7911 123456"],
    ),
    Sample("picture", kinds={Kind.BYTES: PICTURES}),
    Sample("postal_code"),
    Sample("product_name"),
    Sample("range", texts=VALUES[Kind.RANGE]),
    Sample("range", {"together": True}, VALUES[Kind.RANGE]),
    Sample("redact"),
    Sample("round", {"to": "100"}, ["149", "-0.5"]),
    Sample("scramble"),
    Sample("slug", texts=["ten-things-mary-did", "Über uns"]),
    Sample("state"),
    Sample("street_address"),
    Sample("time", texts=["08:15", "23:59:59.5"]),
    Sample("time", {"keep": "nothing"}, ["08:15", "23:59:59.5"]),
    Sample("timestamp", texts=VALUES[Kind.DATE]),
    Sample("token"),
    Sample("token", {"style": "same"}, ["sk_live_4eC39HqLyjWDarjtT1zdp7dc", JWT, "a7-Bc"]),
    Sample("truncate", {"length": 3}),
    Sample("tsvector"),
    Sample("url", texts=["https://corp.example/a"]),
    Sample(
        "url", {"shape": "path"}, ["https://mary:pw@corp.example:8443/u/mary/cv.pdf?id=7&x#top"]
    ),
    Sample("user_agent", texts=["Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Firefox/131.0", "bot"]),
    Sample("username"),
    Sample("uuid", texts=VALUES[Kind.UUID]),
    Sample("vat_number", texts=["DE136695976", "NL004495445B01", "NL000099998B57", "ATU13585627"]),
    Sample("vat_number", {"country": "IT"}, ["00743110157"]),
    Sample("vin", texts=["1HGCM82633A004352", "1M8GDM9AXKP042788"]),
    Sample("xml", {"paths": {"/a/@b": "email"}}, VALUES[Kind.XML]),
]
