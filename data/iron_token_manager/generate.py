"""Make a production file of iron_token_manager as its application left it, at migration 005.

python data/iron_token_manager/generate.py [--users N] [--seed N] [--output FILE]
"""

import argparse
import hashlib
import random
import runpy
import sqlite3
from pathlib import Path

import sqlalchemy as sa
from faker import Faker

HERE = Path(__file__).parent
STEPS = HERE.parents[1] / "sql" / "iron_token_manager"
START = 1_700_000_000_000
HOUR = 3_600_000


def migrate(connection: sa.Connection) -> None:
    """Apply what the application applied: 001 to 005."""
    for path in sorted(STEPS.iterdir())[:5]:
        if path.suffix == ".py":
            runpy.run_path(str(path))["run"](connection, None)
        else:
            for statement in path.read_text(encoding="utf-8").split(";"):
                if statement.strip():
                    connection.exec_driver_sql(statement)


def fill(connection: sa.Connection, users: int, seed: int) -> None:
    """Write users with projects, tokens, usage, limits, traces and provider keys."""
    draw = random.Random(seed)  # noqa: S311 - invented data
    fake = Faker("en_US")
    fake.seed_instance(seed)

    def put(table: str, **row: object) -> None:
        names = ", ".join(row)
        marks = ", ".join("?" * len(row))
        connection.exec_driver_sql(
            f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values())
        )

    for number in range(users):
        name = fake.unique.name()
        user, project = f"user_{number:05d}", f"project_{number // 4:05d}"
        put(
            "users",
            id=user,
            username=name.lower().replace(" ", "."),
            email=fake.unique.email(),
            password_hash="$2b$12$" + hashlib.sha256(name.encode()).hexdigest()[:53],
            role=draw.choice(["admin", "user", "user", "user", "viewer"]),
            is_active=int(draw.random() < 0.95),
            created_at=START + number * HOUR,
        )
        if number % 4 == 0:
            put("projects", id=project, name=fake.unique.company(), owner=user, created_at=START)
            put(
                "ai_provider_keys",
                provider=draw.choice(["openai", "anthropic"]),
                encrypted_key=hashlib.sha512(name.encode()).hexdigest(),
                nonce=hashlib.md5(name.encode()).hexdigest(),  # noqa: S324 - invented data
                description=f"Paid by {name}, ask {fake.phone_number()}",
                owner_id=user,
                created_at=START,
            )
        put(
            "api_tokens",
            token_hash=hashlib.sha256(f"{name}{number}".encode()).hexdigest(),
            user_id=user,
            project_id=project,
            name=f"{name}'s laptop",
            provider=draw.choice(["openai", "anthropic", None]),
            created_at=START + number * HOUR,
        )
        put(
            "usage_limits",
            user_id=user,
            project_id=project,
            max_tokens_per_day=100_000,
            updated_at=START,
        )
        for call in range(draw.randrange(8)):
            read, written = draw.randrange(4000), draw.randrange(2000)
            put(
                "token_usage",
                token_id=number + 1,
                provider="openai",
                model=draw.choice(["gpt-4", "gpt-3.5-turbo"]),
                input_tokens=read,
                output_tokens=written,
                total_tokens=read + written,
                request_id=f"req-{number}-{call}-{draw.randrange(10**9)}",
                recorded_at=START + (number * 10 + call) * HOUR,
            )
            put(
                "api_call_traces",
                token_id=number + 1,
                client_ip=fake.ipv4_public(),
                method="POST",
                path=f"/v1/users/{user}/completions",
                status_code=draw.choice([200, 200, 200, 429, 500]),
                duration_ms=draw.randrange(3000),
                traced_at=START + (number * 10 + call) * HOUR,
            )


def main() -> None:
    """Write the file, whole or not at all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=60)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--output", type=Path, default=HERE / "dumps" / "prod_tokens.db")
    given = parser.parse_args()
    part = given.output.with_suffix(".part")
    part.unlink(missing_ok=True)
    engine = sa.create_engine(f"sqlite:///{part}")
    with engine.begin() as connection:
        migrate(connection)
        fill(connection, given.users, given.seed)
    engine.dispose()
    with sqlite3.connect(part) as connection:
        connection.execute("VACUUM")
    connection.close()
    part.replace(given.output)


if __name__ == "__main__":
    main()
