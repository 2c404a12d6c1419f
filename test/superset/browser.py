"""Chromium on the dashboard: its tabs, its charts, and whether they are drawn."""

import json
import os
import tempfile
import time

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By

# a page that is not ready by then is not
LIMIT = 90

# What a chart shows, asked of the page at once: for one that is redrawn while it is looked at
# would give half of it.  Painted: how many points of its canvases are neither empty nor all alike.
LOOK = """
const seen = [];
for (const chart of document.querySelectorAll('[data-test-chart-id]')) {
    const box = chart.getBoundingClientRect();
    if (!box.width || !box.height) continue;
    let painted = 0;
    for (const canvas of chart.querySelectorAll('canvas')) {
        const points = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        const colours = new Set();
        for (let i = 0; i < points.length; i += 4)
            if (points[i + 3]) { painted++; colours.add((points[i] << 16) + (points[i + 1] << 8) + points[i + 2]); }
        if (colours.size < 2) painted = 0;
    }
    const text = chart.innerText;
    seen.push({
        id: Number(chart.dataset.testChartId), name: chart.dataset.testChartName, kind: chart.dataset.testVizType,
        loading: !!chart.querySelector('[data-test="loading-indicator"], .loading'),
        error: !!chart.querySelector('.ant-alert-error, [data-test="chart-error"]') || /unexpected error|data error|database error/i.test(text),
        empty: /No results were returned/.test(text),
        number: (chart.querySelector('.header-line') || {}).innerText || null,
        heads: [...chart.querySelectorAll('th')].map(cell => cell.innerText.trim()),
        cells: [...chart.querySelectorAll('tbody tr')].slice(0, 50).map(row => [...row.children].map(cell => cell.innerText.trim())),
        painted, text: text.slice(0, 300)});
}
return seen;
"""


class Browser:
    def __init__(self, url):
        self.url = url
        self.home = tempfile.TemporaryDirectory()
        options = webdriver.ChromeOptions()
        options.binary_location = os.environ["CHROMIUM"]
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync",
                     "--disable-dev-shm-usage", "--window-size=1440,2600", f"--user-data-dir={self.home.name}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(os.environ["CHROMEDRIVER"]))
        self.driver.set_page_load_timeout(LIMIT)

    def wait(self, what, condition):
        """The first true value of the condition."""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            try:
                value = condition()
                if value:
                    return value
            except StaleElementReferenceException:
                pass
            time.sleep(0.3)
        raise TimeoutError(what)

    def find(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def login(self, user, password):
        self.driver.get(self.url + "/login/")
        field = self.wait("the form", lambda: self.find("input#username, input[name=username]"))[0]
        field.send_keys(user)
        secret = self.find("input[type=password]")[0]
        secret.send_keys(password)
        secret.submit()
        self.wait("to be let in", lambda: "/login" not in self.driver.current_url)

    def open(self, path):
        self.driver.get(self.url + path)
        return [tab.text for tab in self.wait("tabs", lambda: self.find(".dashboard [role=tab], [role=tab]"))]

    def tab(self, number):
        """Opens a tab and returns its charts once all of them have what they show."""
        self.driver.execute_script("arguments[0].click()", self.find("[role=tab]")[number])
        # the click moves what is shown a moment later
        time.sleep(1)
        before = None

        def settled():
            nonlocal before
            charts = self.driver.execute_script(LOOK)
            ready = charts and all(c["error"] or c["empty"] or (not c["loading"] and (c["painted"] or c["number"] or c["cells"]))
                                   for c in charts)
            # charts are drawn with an animation: until two looks see the same
            same, before = charts == before, charts
            return charts if ready and same else None

        try:
            return self.wait("charts", settled)
        except TimeoutError:
            return before or []

    def queries(self):
        """What the page has asked Superset for since the last call: (chart's id, query)."""
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] != "Network.requestWillBeSent":
                continue
            request = message["params"]["request"]
            if request["method"] == "POST" and "/api/v1/chart/data" in request["url"]:
                data = request.get("postData")
                if data is None:
                    data = self.driver.execute_cdp_cmd("Network.getRequestPostData",
                                                       {"requestId": message["params"]["requestId"]})["postData"]
                query = json.loads(data)
                yield query.get("form_data", {}).get("slice_id"), query

    def complaints(self):
        """Errors in the console.  Superset's pages ask a host elsewhere for a picture, by which its
        users are counted; that this fails here is no concern of ours."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] == "SEVERE" and not entry["message"].startswith("https://")]

    def shot(self, name):
        if os.environ.get("SUPERSET_SHOTS"):
            self.driver.save_screenshot(os.path.join(os.environ["SUPERSET_SHOTS"], f"{name}.png"))

    def quit(self):
        self.driver.quit()
        self.home.cleanup()
