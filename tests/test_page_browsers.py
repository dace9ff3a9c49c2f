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
from test_page_nothing import make_pictures

from jaxnet.report.page.build import empty_page, write_page

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


def in_firefox(address: str, script: str, folder: Path) -> Any:
    """Run the body of an async function of `page` at an address, which may request nothing else."""
    find = [str(NODE), "-p", "require.resolve('puppeteer-core')"]
    if not (NODE and FIREFOX) or subprocess.run(find, capture_output=True, check=False).returncode:
        pytest.skip("there is no Firefox, or no puppeteer-core that Node finds")
    (folder / "drive.cjs").write_text(f"""
    const puppeteer = require("puppeteer-core");
    const media = "media.navigator.";
    const camera = {{ [media + "streams.fake"]: true, [media + "permission.disabled"]: true }};
    const act = async (page) => {{ {script} }};
    (async () => {{
      const browser = await puppeteer.launch({{
        browser: "firefox", executablePath: "{FIREFOX}", extraPrefsFirefox: camera,
      }});
      const page = await browser.newPage();
      const events = [];
      page.on("console", (message) => events.push(message.text()));
      page.on("pageerror", (error) => events.push(String(error)));
      page.on("request", (request) => events.push(request.url()));
      await page.goto("{address}");
      await page.waitForSelector("html[data-ready]");
      const answer = await act(page);
      await browser.close();
      console.log(JSON.stringify({{ answer, events }}));
    }})();
    """)
    done = subprocess.run(
        [str(NODE), folder / "drive.cjs"], capture_output=True, text=True, check=False, timeout=150
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    asked = [event for event in told["events"] if not event.startswith(("blob:", "data:"))]
    assert set(asked) <= {address}
    return told["answer"]


def test_firefox(page: Path, tmp_path: Path) -> None:
    check(in_firefox(page.as_uri(), f"return page.evaluate(() => {ASKED});", tmp_path))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_lessons_in_firefox(page: Path, tmp_path: Path, lang: str) -> None:
    script = """
    const said = [];
    const settled = () => page.waitForFunction(() => document.querySelector(".said")?.textContent);
    for (let lesson = 0; lesson < 7; lesson++) {  // the eighth asks for a photo
      await page.click("[aria-controls=lessons]");
      await page.evaluate((at) => document.querySelectorAll(".lessonCard")[at].click(), lesson);
      await page.waitForSelector(".guess");
      const guesses = (await page.$$(".guess")).length;
      const of = [];
      for (let guess = 0; guess < guesses; guess++) {
        if (guess) await page.click("#lesson .buttons button");
        await page.waitForSelector(".guess");
        await page.evaluate((at) => document.querySelectorAll(".guess")[at].click(), guess);
        await settled();
        of.push(await page.$eval(".said", (element) => element.textContent));
      }
      await page.click(".lessonHead button");
      said.push(of);
    }
    const { iteration } = await page.evaluate(() => jaxnet.state());
    return { said, iteration };
    """
    answer = in_firefox(f"{page.as_uri()}#lang={lang}", script, tmp_path)
    assert answer["iteration"] == 0  # where one was
    for of in answer["said"]:
        assert len(of) >= 2
        assert sum(sentence.startswith("✓") for sentence in of) <= 1, of
        assert all(sentence.startswith(("✓", "✗")) for sentence in of)
        assert all(("您" in sentence) == (lang == "zh") for sentence in of if "✗" in sentence)
    assert sum("✓" in "".join(of) for of in answer["said"]) >= 5


def test_a_step_in_slow_motion_in_firefox(page: Path, tmp_path: Path) -> None:
    script = """
    await page.keyboard.press("s");
    await page.waitForSelector(".slow [role=status]");
    const told = () => page.$eval(".slow [role=status]", (element) => element.textContent);
    const moments = [await told()];
    for (let moment = 1; moment < 18; moment++) {
      await page.keyboard.press("ArrowRight");
      moments.push(await told());
    }
    await page.keyboard.press("ArrowLeft");
    return [moments, await told(), (await page.evaluate(() => jaxnet.state())).iteration];
    """
    moments, back, iteration = in_firefox(page.as_uri(), script, tmp_path)
    assert len(set(moments)) == 18
    assert back == moments[16]
    assert iteration == 0


def test_a_page_from_nothing_in_firefox(tmp_path: Path) -> None:
    light = make_pictures(tmp_path / "light", 1, 10)
    dark = make_pictures(tmp_path / "dark", 2, 10, dark=True)
    address = empty_page().save(tmp_path / "empty.html").as_uri()
    script = f"""
    const heaps = {json.dumps([[str(path) for path in heap] for heap in (light, dark)])};
    for (const [label, files] of heaps.entries()) {{
      await (await page.$(`#heapFiles${{label}}`)).uploadFile(...files);
      const count = (label, least) =>
        document.querySelectorAll(`[data-heap="${{label}}"] canvas`).length >= least;
      await page.waitForFunction(count, {{}}, label, files.length);
    }}
    const press = (name) => page.evaluate((name) => {{
      [...document.querySelectorAll("button")].find((b) => b.textContent === name).click();
    }}, name);
    await press("Open the camera");
    await page.waitForFunction(() => document.querySelector(".camera video")?.videoWidth > 0);
    await press("Train on these");
    await page.waitForFunction(() => "jaxnet" in window);
    await page.waitForFunction(() => document.querySelector(".says")?.textContent);
    return page.evaluate(() => jaxnet.run({STEPS}).then((s) => [s.train.costs, s.finite]));
    """
    costs, finite = in_firefox(address, script, tmp_path)
    assert finite
    assert len(costs) == STEPS + 1
    assert costs[-1] < costs[0]


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
