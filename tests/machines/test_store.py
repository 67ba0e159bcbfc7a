"""Extracts, records and dumps in a real S3 server."""

import hashlib
import os
import subprocess
import sys

import psycopg
import pytest
import s3fs
from upath import UPath

from dbcycle_assets import load_project
from dbcycle_assets.artifacts import Extracts
from dbcycle_assets.cycle.download import download
from dbcycle_assets.cycle.frames import read_extract
from dbcycle_assets.cycle.remote import fetch, keep_origin, version_of
from dbcycle_assets.cycle.session import Cycle
from dbcycle_assets.databases.port import Stamp
from dbcycle_assets.defs.run import refresh
from dbcycle_assets.errors import BadInput, DiskUnavailable, DumpError, Unavailable

from .conftest import copy_project, drop_all, environment, produce

TABLES = """
CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL UNIQUE);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users);
INSERT INTO users SELECT i, 'user' || i || '@corp.example.net' FROM generate_series(1, 50) i;
INSERT INTO orders SELECT i, i FROM generate_series(1, 50) i;
"""
CONFIG = """\
name: shop
source: {{dump: {dump}}}
storage: {storage}
targets: {{test: {{url_env: SHOP_SERVER, beside_production: true}}}}
tables:
  users: {{columns: {{email: email}}, keep: [id]}}
  orders: {{keep: [id, user_id]}}
"""
COLUMNS = (("id", "bigint"),)


@pytest.fixture
def shop(server, bucket, tmp_path, monkeypatch):
    """A project whose dump, extracts and records all lie in the store."""
    monkeypatch.setenv("SHOP_SERVER", server.url("postgres"))
    monkeypatch.setenv("DBCYCLE_KEY", "a key of the tests, long enough")
    folder = tmp_path / "shop"
    config = CONFIG.format(dump=f"{bucket}/dumps/prod.dump", storage=f"{bucket}/cycle")
    produce(server, folder, TABLES, config)
    UPath(f"{bucket}/dumps/prod.dump").write_bytes((folder / "prod.dump").read_bytes())
    (folder / "prod.dump").unlink()
    yield folder
    drop_all(server)


def run(folder):
    """Run what is stale, in an instance of the folder's own."""
    (folder / "home").mkdir(exist_ok=True)
    done = refresh(load_project(folder), instance_home=folder / "home")
    assert done.ok, done.failed
    return done


def test_a_cycle_with_everything_in_a_store(shop, store, bucket, tmp_path):
    """Nothing but this machine's own state is left in the folder, and another machine goes on
    from what this one made.
    """
    first = run(shop)
    assert first.published
    assert not (shop / "extracts").exists()
    assert not (shop / ".dbcycle/ledger").exists()
    found = store.find(f"{bucket.removeprefix('s3://')}/cycle")
    names = {name.partition("/cycle/")[2] for name in found}
    assert {"extracts/users.copy.zst", "extracts/users.json"} <= names
    assert {"private/catalog.json", "private/originals/users.bin"} <= names
    assert "private/ledger/extracts/users.json" in names
    content = b"".join(store.cat_file(name) for name in found if name.endswith("json"))
    assert b"corp.example.net" not in content
    assert len(read_extract(load_project(shop), "users")) == 50

    copy_project(shop, tmp_path / "elsewhere")
    again = run(tmp_path / "elsewhere")
    assert (again.materialized, again.failed) == ([], [])


def test_a_new_dump_in_the_store_is_stale(shop, bucket):
    """The next run fetches it; until then the plan says so without fetching."""
    run(shop)
    place = UPath(f"{bucket}/dumps/prod.dump")
    content = place.read_bytes()
    place.write_bytes(content + b" ")
    stale = Cycle(load_project(shop)).stale()
    assert stale[0].asset == "prod_dump"
    place.write_bytes(content)
    done = run(shop)
    assert "shop/restored_db" not in done.materialized


def test_a_lost_extract_is_made_again(shop, store, bucket):
    """One object that is gone from the store costs one table."""
    run(shop)
    store.rm(f"{bucket.removeprefix('s3://')}/cycle/extracts/users.copy.zst")
    assert next(entry.asset for entry in Cycle(load_project(shop)).stale()) == "extracts/users"
    done = run(shop)
    assert done.materialized == ["shop/extracts/users"]


def test_what_is_not_whole_is_not_there(store, bucket):
    """A writer that fails half-way leaves the former extract, and no upload behind."""
    extracts = Extracts(UPath(bucket, use_listings_cache=False) / "extracts")
    with extracts.write("users", COLUMNS, {}) as writer:
        writer.write(b"1\n2\n", 2)
    block = b"".join(b"%d\n" % n for n in range(100_000))
    with pytest.raises(ZeroDivisionError), extracts.write("users", COLUMNS, {}) as writer:
        for _ in range(80):
            writer.write(os.urandom(1 << 19).hex().encode() + b"\n" + block, 100_001)
        raise ZeroDivisionError
    assert b"".join(extracts.read("users")) == b"1\n2\n"
    name = bucket.removeprefix("s3://")
    assert not store.call_s3("list_multipart_uploads", Bucket="tests").get("Uploads")
    store.pipe_file(f"{name}/extracts/users.copy.zst", b"cut")
    with pytest.raises(BadInput, match="does not match its manifest"):
        list(extracts.read("users"))


def test_a_store_that_is_not_reached_is_no_empty_one(shop, monkeypatch):
    """Wrong credentials end the run; they do not make everything look stale."""
    run(shop)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises((DiskUnavailable, Unavailable), match="s3://"):
        Cycle(load_project(shop)).stale()
    s3fs.S3FileSystem.clear_instance_cache()


def test_a_download_goes_on_where_it_broke_off(store, bucket, tmp_path):
    """What has come is kept; a file that was replaced meanwhile begins anew."""
    uri, part = f"{bucket}/prod.dump", tmp_path / "part"
    content = os.urandom(3 << 20)
    UPath(uri).write_bytes(content)
    fetch(uri, part)
    assert part.read_bytes() == content
    version = version_of(uri)
    part.write_bytes(content[: 1 << 20])
    keep_origin(part, uri, version)
    kept = part.stat().st_ino
    fetch(uri, part)
    assert part.read_bytes() == content
    assert part.stat().st_ino == kept
    part.write_bytes(b"of another version")
    keep_origin(part, uri, "another")
    fetch(uri, part)
    assert part.read_bytes() == content


def test_a_checksum_beside_a_dump_is_believed(bucket, tmp_path):
    """A file that is not what its checksum was made of is refused."""
    uri, part = f"{bucket}/prod.dump", tmp_path / "part"
    UPath(uri).write_bytes(b"what came")
    UPath(f"{uri}.sha256").write_text(
        hashlib.sha256(b"what was sent").hexdigest() + "  prod.dump\n"
    )
    with pytest.raises(DumpError, match="checksum"):
        fetch(uri, part)
    assert not part.exists()
    UPath(f"{uri}.sha256").write_text(hashlib.sha256(b"what came").hexdigest())
    fetch(uri, part)
    assert part.read_bytes() == b"what came"


def test_a_dump_of_production_goes_to_the_store(shop, server, bucket, store, monkeypatch):
    """`download: {url_env: …}` dumps here and stores there; the run restores that dump."""
    server.create("production_of_shop", Stamp("tests", "production"))
    monkeypatch.setenv("PROD_DATABASE_URL", server.url("production_of_shop"))
    with psycopg.connect(server.url("production_of_shop")) as connection:
        connection.execute(TABLES + "INSERT INTO users VALUES (51, 'new@corp.example.net');")
    config = shop / "dbcycle.yaml"
    text = config.read_text().replace(
        "prod.dump}", "prod.dump, download: {url_env: PROD_DATABASE_URL}}"
    )
    config.write_text(text)
    before = version_of(f"{bucket}/dumps/prod.dump")
    download(Cycle(load_project(shop)))
    server.drop("production_of_shop", "tests")
    assert version_of(f"{bucket}/dumps/prod.dump") != before
    run(shop)
    assert len(read_extract(load_project(shop), "users")) == 51


MEASURE = """
import re, sys
from pathlib import Path
from dbcycle_assets.cycle.remote import fetch
fetch(sys.argv[1], Path(sys.argv[2]))
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024)
"""


def test_memory_does_not_grow_with_the_dump(bucket, tmp_path):
    """A file of 300 MB comes through as few megabytes as one of 30."""
    peaks = []
    for size in (30, 300):
        uri = f"{bucket}/{size}.dump"
        with UPath(uri).open("wb") as file:
            for _ in range(size):
                file.write(os.urandom(1 << 20))
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, uri, str(tmp_path / str(size))],
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(done.stdout))
        assert (tmp_path / str(size)).stat().st_size == size << 20
    assert peaks[1] < peaks[0] + 40, peaks
