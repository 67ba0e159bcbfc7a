"""A small shop on SQLite: quick enough to cycle many times in one test file."""

import sqlite3
from pathlib import Path

import pytest

from dbcycle_assets import load_project
from dbcycle_assets.cycle.session import Cycle

SCHEMA = """
CREATE TABLE users (
  id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL
);
CREATE TABLE products (sku TEXT PRIMARY KEY, price NUMERIC NOT NULL);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users (id),
  sku TEXT NOT NULL REFERENCES products (sku),
  note TEXT
);
CREATE INDEX orders_by_user ON orders (user_id);
"""

CONFIG = """\
name: shop
engine: sqlite
source: {dump: prod.db}
migrations:
  - {version: v1, directory: migrations, steps: [001_discount.sql, 002_tags.sql]}
tables:
  users:
    columns:
      email: email
      name: full_name
    keep: [id, role]
  products:
    keep: [sku, price, discount]
  orders:
    columns:
      note: free_text
    keep: [id, user_id, sku]
  tags:
    keep: [id, label]
golden: golden
"""

USERS = [
    (1, "ada@lovelace.example.net", "Ada Lovelace", "admin"),
    (2, "grace@hopper.example.net", "Grace Hopper", "customer"),
    (3, "alan@turing.example.net", "Alan Turing", "customer"),
]
ORDERS = [
    (1, 2, "A-1", "Grace Hopper wants it by Friday, mail grace@hopper.example.net"),
    (2, 3, "B-2", None),
    (3, 3, "A-1", "leave it with Ada Lovelace"),
]


def fill(path: Path, users=USERS, orders=ORDERS) -> None:
    """Write the production database."""
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    with connection:
        connection.executescript(SCHEMA)
        connection.executemany("INSERT INTO users VALUES (?, ?, ?, ?)", users)
        connection.executemany("INSERT INTO products VALUES (?, ?)", [("A-1", 9.5), ("B-2", 20)])
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", orders)
    connection.close()


@pytest.fixture
def shop(tmp_path):
    """Give the folder of a project with a dump, two migrations and golden records."""
    root = tmp_path / "shop"
    for folder in ("migrations", "golden"):
        (root / folder).mkdir(parents=True)
    fill(root / "prod.db")
    (root / "dbcycle.yaml").write_text(CONFIG)
    (root / "migrations/001_discount.sql").write_text(
        "ALTER TABLE products ADD COLUMN discount NUMERIC DEFAULT 0;\n"
    )
    (root / "migrations/002_tags.sql").write_text(
        "CREATE TABLE tags (id INTEGER PRIMARY KEY, label TEXT NOT NULL);\n"
        "INSERT INTO tags VALUES (1, 'new'), (2, 'sale');\n"
    )
    (root / "golden/users.yaml").write_text(
        "- {id: 1, email: golden.admin@example.com, name: Golden Admin, role: admin}\n"
        "- {id: 900, email: golden.tester@example.com, name: Golden Tester, role: customer}\n"
    )
    return root


@pytest.fixture
def cycle_of():
    """Give a function that opens a new session on a project's folder."""
    return lambda root, **kwargs: Cycle(load_project(root), **kwargs)
