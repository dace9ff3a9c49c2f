"""The offline page in Firefox and in WebKit, where these are installed.

Firefox is driven by Node's puppeteer-core, through WebDriver BiDi; WebKit by WebKitWebDriver, which
Debian has in `webkit2gtk-driver` and which needs a display.
"""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pages import make_dataset, make_run, train_again

from jaxnet.report.page.build import write_page

pytestmark = pytest.mark.slow

NODE = shutil.which("node")
FIREFOX = shutil.which("firefox") or shutil.which("firefox-esr")
WEBKIT = shutil.which("WebKitWebDriver")
STEPS = 300

# What the page is asked: it plays, and tells its costs and the sum of one picture.
ASKED = (
    f"jaxnet.run({STEPS}).then((s) => [s.train.costs, s.frames, s.finite,"
    " document.querySelector('.sum').textContent, document.querySelector('.verdict').textContent])"
)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.html"
    write_page(path, make_run(), make_dataset())
    return path


def check(answer: Any) -> None:
    costs, frames, finite, total, verdict = answer
    expected = train_again(make_run(), make_dataset(), STEPS).costs
    np.testing.assert_allclose(costs[:STEPS], expected, rtol=0, atol=1e-9)
    assert finite
    assert frames > 1
    assert total.startswith("Z₂ = ")
    assert verdict.startswith(("✓", "✗"))


def test_firefox(page: Path, tmp_path: Path) -> None:
    find = [str(NODE), "-p", "require.resolve('puppeteer-core')"]
    if not (NODE and FIREFOX) or subprocess.run(find, capture_output=True, check=False).returncode:
        pytest.skip("there is no Firefox, or no puppeteer-core that Node finds")
    (tmp_path / "drive.cjs").write_text(f"""
    const puppeteer = require("puppeteer-core");
    (async () => {{
      const browser = await puppeteer.launch({{ browser: "firefox", executablePath: "{FIREFOX}" }});
      const page = await browser.newPage();
      const events = [];
      page.on("console", (message) => events.push(message.text()));
      page.on("pageerror", (error) => events.push(String(error)));
      page.on("request", (request) => events.push(request.url()));
      await page.goto("{page.as_uri()}");
      await page.waitForSelector("html[data-ready]");
      const answer = await page.evaluate(() => {ASKED});
      await browser.close();
      console.log(JSON.stringify({{ answer, events }}));
    }})();
    """)
    done = subprocess.run(
        [str(NODE), tmp_path / "drive.cjs"], capture_output=True, text=True, check=False, timeout=90
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    check(told["answer"])
    asked = [event for event in told["events"] if not event.startswith("blob:")]
    assert set(asked) <= {page.as_uri()}


class WebKit:
    """A session of WebKitWebDriver."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.path = ""

    def call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}{self.path}{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def run(self, script: str, kind: str = "sync") -> Any:
        return self.call("POST", f"/execute/{kind}", {"script": script, "args": []})


@pytest.fixture
def webkit() -> Iterator[WebKit]:
    browsers = sorted(Path("/usr/lib").glob("*/webkit2gtk-4*/MiniBrowser"))
    if WEBKIT is None or not browsers or "DISPLAY" not in os.environ:
        pytest.skip("there is no WebKitWebDriver, no MiniBrowser, or no display")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    driver = subprocess.Popen([WEBKIT, f"--port={port}"], stderr=subprocess.DEVNULL)
    session = WebKit(port)
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    options = {"binary": str(browsers[-1]), "args": ["--automation"]}
    wanted = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}}
    session.path = f"/session/{session.call('POST', '/session', wanted)['sessionId']}"
    yield session
    session.call("DELETE", "")
    driver.terminate()
    driver.wait(timeout=20)


def test_webkit(webkit: WebKit, page: Path) -> None:
    webkit.call("POST", "/url", {"url": page.as_uri()})
    for _ in range(200):
        if webkit.run("return 'ready' in document.documentElement.dataset"):
            break
        time.sleep(0.05)
    webkit.run("window.errors = []; addEventListener('error', (e) => errors.push(e.message))")
    check(webkit.run(f"const done = arguments[0]; {ASKED}.then(done)", "async"))
    assert webkit.run("return errors") == []
