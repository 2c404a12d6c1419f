"""Imports the dashboard, opens it, and compares what it shows with SQL.  Run by superset.sh, which
sets the environment; prints TAP."""

import datetime
import decimal
import json
import os
import subprocess
import sys
import traceback
import urllib.parse

import psycopg2
import requests

from browser import Browser
from expected import ROWS, TOTALS

URL = os.environ["SUPERSET_URL"]
TABS = ["Overview", "Experiment", "Sellers", "Catalogue", "Operations"]
tests = failed = 0


def ok(holds, what, *details):
    global tests, failed
    tests += 1
    failed += not holds
    print(f"{'ok' if holds else 'not ok'} {tests} - {what}", flush=True)
    if not holds:
        for detail in details:
            print("#   " + str(detail)[:1500].replace("\n", "\n#   "), flush=True)
    return holds


class Api:
    """Superset's interface, by which the queries of charts are run again."""

    def __init__(self):
        self.session = requests.Session()
        self.session.headers["Referer"] = URL
        body = {"username": os.environ["SUPERSET_USER"], "password": os.environ["SUPERSET_PASSWORD"], "provider": "db"}
        self.session.headers["Authorization"] = "Bearer " + self.call("POST", "/api/v1/security/login", body)["access_token"]
        self.session.headers["X-CSRFToken"] = self.call("GET", "/api/v1/security/csrf_token/")["result"]

    def call(self, method, path, body=None):
        answer = self.session.request(method, URL + path, json=body, timeout=120)
        if answer.status_code >= 300:
            raise RuntimeError(f"{answer.status_code} to {path}: {answer.text[:1000]}")
        return answer.json()

    def count(self, kind):
        return self.call("GET", f"/api/v1/{kind}/")["count"]

    def data(self, query):
        """Rows of a chart's query as the database gives them: nothing done to them afterwards."""
        query = dict(query, force=True, result_type="full", result_format="json")
        query["queries"] = [dict(q, post_processing=[]) for q in query["queries"]]
        return [part["data"] for part in self.call("POST", "/api/v1/chart/data", query)["result"]]


def plain(value):
    """A value as one that can be compared: numbers as such, times as milliseconds."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float, decimal.Decimal)):
        return float(value)
    if isinstance(value, datetime.datetime):
        return round(value.timestamp() * 1000)
    return str(value)


def same(left, right, key=""):
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        # what Superset says of times ends with milliseconds
        slack = 1 if left > 1e12 else 1e-6 * max(abs(left), abs(right), 1e-9)
        return abs(left - right) <= slack
    return left == right


def order(row):
    return [(value is None, f"{value:020.6f}" if isinstance(value, float) else str(value)) for value in row]


def differences(rows, database, sql):
    """What a chart has that SQL has not, and the other way round."""
    cursor = database.cursor()
    cursor.execute(sql)
    names = [column.name for column in cursor.description]
    wanted = sorted(([plain(v) for v in row] for row in cursor.fetchall()), key=order)
    for row in rows:
        missing = [name for name in names if name not in row]
        if missing:
            return f"no column {missing}, but {list(row)}"
    found = sorted(([plain(row[name]) for name in names] for row in rows), key=order)
    if len(found) != len(wanted):
        return f"{len(found)} rows, and {len(wanted)} in SQL"
    for one, other in zip(found, wanted):
        for name, left, right in zip(names, one, other):
            if not same(left, right):
                return f"{name}: {left!r}, and {right!r} in SQL\n{one}\n{other}"
    return None


def imported(api):
    def run(*arguments, **environment):
        return subprocess.run([sys.executable, os.environ["IMPORT"], *arguments], capture_output=True, text=True,
                              env=dict(os.environ, **environment), timeout=200)

    address = os.environ["SHOP_ADDRESS"]
    first = run(address)
    if not ok(first.returncode == 0, "the dashboard is imported", first.stderr):
        return False
    counts = [api.count(kind) for kind in ("database", "dataset", "chart", "dashboard")]
    ok(counts == [1, 14, len(ROWS) + len(TOTALS), 1], "a database, datasets, charts, one dashboard", counts)
    again = run(address)
    ok(again.returncode == 0 and [api.count(kind) for kind in ("database", "dataset", "chart", "dashboard")] == counts,
       "imported again it replaces what is there", again.stderr)
    written = run("--zip", "recsys.zip", address)
    secret = urllib.parse.unquote(address.split(":")[2].split("@")[0])
    archive = open("recsys.zip", "rb").read() if written.returncode == 0 else b""
    texts = unzipped(archive)
    ok(texts and not any(secret in t or "p%40ss" in t for t in texts.values()), "the file for Superset's own import has no password", written.stderr)
    ok("type: Dashboard" in texts.get("recsys/metadata.yaml", ""), "and is one of a dashboard")
    passwords = {"databases/recsys.yaml": secret}
    answer = api.session.post(URL + "/api/v1/dashboard/import/", files={"formData": ("recsys.zip", archive)},
                              data={"passwords": json.dumps(passwords), "overwrite": "true"}, timeout=120)
    ok(answer.status_code == 200, "which takes it", answer.text)
    second = run("--name", "Second shop", address)
    ok(second.returncode == 0 and "/recsys-second-shop/" in second.stdout and
       [api.count(kind) for kind in ("database", "dataset", "chart", "dashboard")] == [2 * count for count in counts],
       "another name makes another dashboard beside it", second.stdout, second.stderr)
    for arguments, environment, word in (((address,), {"SUPERSET_PASSWORD": "wrong"}, "401"),
                                         (("mysql://host/shop",), {}, "postgresql://"),
                                         ((address,), {"SUPERSET_URL": "http://127.0.0.1:9"}, "SUPERSET_URL")):
        wrong = run(*arguments, **environment)
        ok(wrong.returncode != 0 and word in wrong.stderr and "Traceback" not in wrong.stderr,
           f"import.py: what is wrong is said in a sentence ({word})", wrong.stderr)
    return True


def unzipped(archive):
    import io
    import zipfile
    if not archive:
        return {}
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        return {name: files.read(name).decode() for name in files.namelist()}


def compare(chart, rows, database):
    """The data of a chart beside SQL."""
    name = chart["name"]
    if name in TOTALS:
        column, sql = TOTALS[name]
        cursor = database.cursor()
        cursor.execute(sql)
        wanted = plain(cursor.fetchone()[0])
        # a big number with a curve asks for the days first
        value = plain(rows[-1][0][column]) if rows[-1] else None
        ok(same(value, wanted), f"{name}: equals SQL", value, wanted)
        return wanted
    difference = differences(rows[0], database, ROWS[name])
    ok(difference is None, f"{name}: {len(rows[0])} rows equal SQL", difference)
    return None


def shown(chart, wanted):
    """A big number's text beside SQL."""
    text = chart["number"] or ""
    if chart["name"] == "Metrics computed":
        moment = datetime.datetime.fromtimestamp(wanted / 1000, datetime.timezone.utc)
        return text == moment.strftime("%Y-%m-%d %H:%M")
    number = float(text.replace(",", "").rstrip("%")) / (100 if text.endswith("%") else 1)
    digits = len(text.rstrip("%").partition(".")[2]) + (2 if text.endswith("%") else 0)
    return abs(number - wanted) <= 0.5001 * 10 ** -digits


def dashboard(api, database):
    browser = Browser(URL)
    try:
        browser.login(os.environ["SUPERSET_USER"], os.environ["SUPERSET_PASSWORD"])
        tabs = browser.open("/superset/dashboard/recsys/")
        ok(tabs == TABS, "its pages", tabs)
        queries, names, maybe_empty = {}, [], []
        for number, tab in enumerate(TABS):
            charts = browser.tab(number)
            browser.shot(tab.lower())
            queries.update(browser.queries())
            for chart in charts:
                names.append(chart["name"])
                data = api.data(queries[chart["id"]])
                drawn = bool(chart["painted"] if chart["kind"] not in ("table", "big_number_total") else chart["cells"] or chart["number"])
                # nothing to show is right only where there is nothing
                if chart["empty"]:
                    drawn = not data[0] and chart["kind"] == "table"
                    maybe_empty.append(chart["name"])
                ok(drawn and not chart["error"], f"{tab}: {chart['name']} is drawn", chart)
                wanted = compare(chart, data, database)
                if wanted is not None:
                    ok(shown(chart, wanted), f"{chart['name']}: {chart['number']} is on the page", wanted)
        unseen = (set(ROWS) | set(TOTALS)) ^ set(names)
        ok(not unseen, "all charts have been seen", unseen)
        browser.open("/superset/dashboard/recsys-second-shop/")
        bad = [chart for number in range(len(TABS)) for chart in browser.tab(number)
               if chart["error"] or not (chart["painted"] or chart["number"] or chart["cells"] or chart["name"] in maybe_empty)]
        ok(not bad, "the one of another name is drawn, too", *bad)
        complaints = browser.complaints()
        ok(not complaints, "no error in the browser's console", *complaints)
    finally:
        browser.quit()


def main():
    try:
        api = Api()
        database = psycopg2.connect(os.environ["SHOP_DSN"] + " options='-c timezone=UTC'")
        database.autocommit = True
        if imported(api):
            dashboard(api, database)
    except Exception:
        ok(False, "the test itself", traceback.format_exc())
    print(f"1..{tests}")
    sys.exit(failed > 0)


main()
