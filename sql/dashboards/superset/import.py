#!/usr/bin/env python3
"""Brings the recsys dashboard into Apache Superset: the files of the directory recsys beside this
script, with the address of your database in place of the one they have.

    ./import.py postgresql://monitor:secret@db.example:5432/shop
        into the Superset at SUPERSET_URL (default http://127.0.0.1:8088) as SUPERSET_USER (default
        admin) with SUPERSET_PASSWORD.  What is there of an earlier import is replaced: the
        database's address, datasets, charts and dashboard, whatever was changed in Superset.
        The password goes to Superset's interface beside the files, not in them.

    ./import.py --zip recsys.zip postgresql://monitor@db.example:5432/shop
        writes the file that Superset takes under Dashboards > Import; it asks for the password.

    --name NAME
        another shop's dashboard beside the first, over a database that Superset calls NAME.

The address is as libpq takes it.  It needs nothing but Python.
"""

import argparse
import http.cookiejar
import io
import json
import os
import pathlib
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
import uuid
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
FILES = HERE / "recsys"
DATABASE = "databases/recsys.yaml"
DASHBOARD = "dashboards/recsys.yaml"
# what Superset calls the database
DEFAULT_NAME = "recsys"
# Superset's way of saying "a password, which is not here"
MASK = "XXXXXXXXXX"


def fail(message):
    sys.exit(f"import.py: {message}")


def split_address(address):
    """The address for SQLAlchemy, its password masked; and the password."""
    parts = urllib.parse.urlsplit(address)
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        fail("the address is not of the form postgresql://user:password@host:port/database")
    login, _, place = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    password = urllib.parse.unquote(password) or os.environ.get("PGPASSWORD")
    if password and user:
        user = f"{user}:{MASK}"
    netloc = f"{user}@{place}" if user else place
    # not by urlunsplit, which leaves out an empty host
    return f"postgresql+psycopg2://{netloc}{parts.path}" + (f"?{parts.query}" if parts.query else ""), password


def renamed(path, text, name):
    """A file of the dashboard called name: Superset knows things by their uuid, so each gets another,
    which is the same the next time."""
    text = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
                  lambda found: str(uuid.uuid5(uuid.UUID(found.group()), name)), text)
    if path == DATABASE:
        text = replace_line(text, "database_name", json.dumps(name))
    elif path.startswith("datasets/"):
        # where Superset keeps its own data in SQLite, no two tables of its databases may have one
        # name; queries may have any
        table = re.search("^table_name: (.*)$", text, re.M).group(1)
        text = replace_line(text, "table_name", json.dumps(f"{table} ({name})"))
        if "\nsql: null\n" in text:
            text = replace_line(text, "sql", f"SELECT * FROM recsys.{table}")
    elif path == DASHBOARD:
        text = replace_line(text, "dashboard_title", json.dumps(f"Recommendations: {name}"))
        text = replace_line(text, "slug", json.dumps(slug(name)))
    return text


def slug(name):
    """The last part of the dashboard's address."""
    return "recsys" if name == DEFAULT_NAME else "recsys-" + re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")


def bundle(kind, uri, called):
    """The files as Superset wants them: a zip with one directory in it.  kind: what it is for."""
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(FILES.rglob("*.yaml")):
            name = path.relative_to(FILES).as_posix()
            text = path.read_text(encoding="utf-8")
            if name == "metadata.yaml":
                text = replace_line(text, "type", kind)
            elif name == DATABASE:
                # a string of JSON is one of YAML, too
                text = replace_line(text, "sqlalchemy_uri", json.dumps(uri))
            if called != DEFAULT_NAME:
                text = renamed(name, text, called)
            archive.writestr(f"recsys/{name}", text)
    return result.getvalue()


def replace_line(text, key, value):
    lines = text.split("\n")
    found = [n for n, line in enumerate(lines) if line.startswith(f"{key}: ")]
    if len(found) != 1:
        fail(f"no line {key} in the files: are they complete?")
    lines[found[0]] = f"{key}: {value}"
    return "\n".join(lines)


class Superset:
    """A session with Superset's interface."""

    def __init__(self, url):
        self.url = url.rstrip("/")
        self.headers = {"Accept": "application/json", "Referer": self.url}
        self.opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def call(self, path, body=None, content_type="application/json"):
        request = urllib.request.Request(self.url + path, data=body, headers=dict(self.headers))
        if body is not None:
            request.add_header("Content-Type", content_type)
        try:
            with self.opener.open(request, timeout=300) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            fail(f"Superset says {error.code} to {path}: {error.read().decode(errors='replace')[:2000]}")
        except (urllib.error.URLError, OSError) as error:
            fail(f"no Superset at {self.url}: {error}; set SUPERSET_URL")

    def login(self, user, password):
        body = {"username": user, "password": password, "provider": "db", "refresh": False}
        token = self.call("/api/v1/security/login", json.dumps(body).encode())["access_token"]
        self.headers["Authorization"] = f"Bearer {token}"
        # wanted beside the token, unless that is switched off
        self.headers["X-CSRFToken"] = self.call("/api/v1/security/csrf_token/")["result"]

    def send(self, archive, password):
        boundary = uuid.uuid4().hex
        fields = {"passwords": json.dumps({DATABASE: password} if password else {})}
        body = b""
        for name, value in fields.items():
            body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        body += (f'--{boundary}\r\nContent-Disposition: form-data; name="bundle"; filename="recsys.zip"\r\n'
                 "Content-Type: application/zip\r\n\r\n").encode()
        body += archive + f"\r\n--{boundary}--\r\n".encode()
        self.call("/api/v1/assets/import/", body, f"multipart/form-data; boundary={boundary}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--zip", metavar="FILE", help="write this file instead of calling Superset")
    parser.add_argument("--name", default=DEFAULT_NAME, help="what Superset calls the database (default: recsys)")
    parser.add_argument("address", help="postgresql://user:password@host:port/database")
    arguments = parser.parse_args()

    uri, password = split_address(arguments.address)
    if arguments.zip:
        pathlib.Path(arguments.zip).write_bytes(bundle("Dashboard", uri, arguments.name))
        print(f"{arguments.zip}: import it in Superset under Dashboards")
        return
    if "SUPERSET_PASSWORD" not in os.environ:
        fail("set SUPERSET_PASSWORD (and SUPERSET_USER, SUPERSET_URL), or write a file with --zip")
    superset = Superset(os.environ.get("SUPERSET_URL", "http://127.0.0.1:8088"))
    superset.login(os.environ.get("SUPERSET_USER", "admin"), os.environ["SUPERSET_PASSWORD"])
    superset.send(bundle("assets", uri, arguments.name), password)
    print(f"imported: {superset.url}/superset/dashboard/{slug(arguments.name)}/")


if __name__ == "__main__":
    main()
