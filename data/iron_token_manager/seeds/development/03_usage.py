"""Seven usage records of the administrator's token, a day apart."""

import hashlib

VERSION = "1.0.0"
DEPENDS = ["development/02_tokens"]

DAY = 24 * 3600 * 1000
RECORDS = [
    ("openai", "gpt-4", 1500, 500, 9),
    ("openai", "gpt-4", 2300, 800, 14),
    ("anthropic", "claude-3-opus", 900, 300, 7),
    ("openai", "gpt-3.5-turbo", 4000, 1200, 1),
    ("anthropic", "claude-3-haiku", 600, 900, 1),
    ("openai", "gpt-4", 1200, 400, 7),
    ("openai", "gpt-4-turbo", 3100, 700, 6),
]


def run(seed):
    """Each record has a request id of its own, so that it is put in once."""
    digest = hashlib.sha256(b"iron_dev_admin_token_001").hexdigest()
    token = seed.find("api_tokens", token_hash=digest)
    for number, (provider, model, read, written, cents) in enumerate(RECORDS):
        seed.insert_missing(
            "token_usage",
            {
                "token_id": token["id"],
                "provider": provider,
                "model": model,
                "input_tokens": read,
                "output_tokens": written,
                "total_tokens": read + written,
                "cost_cents": cents,
                "request_id": f"dev-{number + 1:03d}",
                "recorded_at": 1733900000000 + number * DAY,
            },
            key=["request_id"],
        )
