"""The lessons of the offline page: their format, their measures, and their course in a browser."""

import dataclasses
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from browser import Open, button, state, text, until
from engine import SOURCE, Node
from pages import make_dataset, make_run, train_again
from PIL import Image

from jaxnet.data.dataset import Dataset
from jaxnet.network import accuracy, forward

if TYPE_CHECKING:
    from playwright.sync_api import Page

DOCS = (Path(__file__).parent.parent / "docs" / "lessons.md").read_text("utf-8")
OWN = (SOURCE / "lessons.json").read_text("utf-8")
NAMES = [lesson["id"] for lesson in json.loads(OWN)]
HOSTILE = '</script><img src=x onerror="alert(1)">'

READ = """
const { readLessons, settingsOf, whyNot } = await import("./lesson_format.js");
const { MEASURES, measureOf, stateBefore } = await import("./measures.js");
const { truthOf, unitOfLargestVote } = await import("./measures.js");
const { BOX_NAMES } = await import("./diagram.js");
const { say, setLanguage } = await import("./strings.js");
const tell = (text, data) => {
  const { lessons, faults } = readLessons(text, data, BOX_NAMES);
  return [lessons, ["en", "zh"].map((code) => {
    setLanguage(code);
    return faults.map(([key, values]) => say(key, values));
  })];
};
"""


def make_lesson(**changes: Any) -> dict[str, Any]:
    """Make a lesson as the documentation shows one; None takes a part out."""
    lesson = {
        "title": "Twice the α",
        "set": {"learning_rate": {"times": 2}, "picture": "train-3", "silenced": [0]},
        "ask": "How much lower is the cost of {yes} after {steps} {steps?step:steps}?",
        "answers": [
            {"text": "By less than half", "below": 50, "because": "{value}: {first}, {last}"},
            {"text": {"en": "By more", "zh": "更多"}},
        ],
        "run": 20,
        "measure": "cost fall",
        "look": "curves",
    } | changes
    return {name: part for name, part in lesson.items() if part is not None}


def answers(*conditions: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"text": "A", **condition} for condition in conditions]


DEEP: list[Any] = []
for _ in range(200):
    DEEP = [DEEP]

# What is wrong with a lesson, and what the page says of it.
WRONG: dict[str, tuple[Any, str]] = {
    "no object": (make_lesson(set=7), "set: expected parts in { }, not 7."),
    "no lesson": ("just a text", "JSON: expected parts in { }, not “just a text”."),
    "null": (None, "JSON: expected parts in { }, not null."),
    "missing": (make_lesson(title=None), "JSON: “title” is missing."),
    "unknown": (make_lesson(colour="red"), "JSON: “colour” is no part. There are: id, title,"),
    "prototype": ('{"__proto__": 1, "title": "x"}', "“__proto__” is no part."),
    "empty": (make_lesson(title=" "), "title: expected a text, not “ ”."),
    "text": (make_lesson(ask=12), "ask: expected a text, not 12."),
    "language": (make_lesson(title={"fr": "α"}), "title: “fr” is no part. There are: en, zh."),
    "no language": (make_lesson(title={}), "title: expected a text, not {}."),
    "long": (make_lesson(text="x" * 601), "text: 601 characters; at most 600 fit."),
    "hole": (
        make_lesson(ask="{value}?"),
        "ask: nothing fills {value}. There are, each in { }: yes,",
    ),
    "id": (make_lesson(id="a b"), "id: expected up to 40 letters, digits, - or _, not “a b”."),
    "steps": (
        make_lesson(run=1e9),
        "run: expected a whole number of steps from 0 to 20000, not 1000",
    ),
    "infinite": (
        json.dumps(make_lesson(run=1)).replace('"run": 1', '"run": 1e999'),
        "not Infinity.",
    ),
    "parts of steps": (make_lesson(train=2.5), "train: expected a whole number of steps"),
    "measure": (make_lesson(measure="happiness"), "measure: “happiness” is none of: outcome,"),
    "view": (make_lesson(look="toString"), "look: “toString” is none of: way, curves,"),
    "setting": (
        make_lesson(set={"hidden_units": 1e6}),
        "set hidden_units: cannot be 1000000 on this",
    ),
    "kind": (
        make_lesson(set={"learning_rate": "x"}),
        "set learning_rate: cannot be “x” on this page.",
    ),
    "times": (make_lesson(set={"learning_rate": {"times": -1}}), "learning_rate: cannot be -1 on"),
    "no times": (make_lesson(set={"learning_rate": {}}), "set learning_rate: “times” is missing."),
    "deep": (make_lesson(set={"seed": DEEP}), "set seed: cannot be [1] on this page."),
    "picture": (
        make_lesson(set={"picture": "test-999"}),
        "there is no picture “test-999” on this page",
    ),
    "box": (make_lesson(set={"box": "Q"}), "set box: “Q” is none of: W1,"),
    "then": (
        make_lesson(then={"picture": "train-3"}),
        "then: “picture” is no part. There are: learning",
    ),
    "one answer": (
        make_lesson(answers=answers({})),
        "answers: expected a list of 2 to 6 answers, not [1].",
    ),
    "no list": (
        make_lesson(answers={"0": 1}),
        "answers: expected a list of 2 to 6 answers, not {0}.",
    ),
    "no condition": (
        make_lesson(answers=answers({}, {})),
        "answers[1]: expected “below”, the condition",
    ),
    "last": (
        make_lesson(answers=answers({"below": 1}, {"below": 2})),
        "answers[2]: the last answer is",
    ),
    "order": (
        make_lesson(answers=answers({"below": 2}, {"below": 1}, {})),
        "answers[2] below: 1 is not above",
    ),
    "number": (
        make_lesson(answers=answers({"below": "1"}, {})),
        "answers[1] below: expected a number, not “1”.",
    ),
    "outcomes": (
        make_lesson(measure="outcome", answers=answers({"is": ["good"]}, {})),
        "answers[1] is: expected a list of some of: learning, slow, plateau,",
    ),
    "not JSON": ("{title: 1}", "It is not JSON: "),
    "no lessons": ([], "It holds 0 lessons; expected 1 to 40."),
    "too large": (" " * 200_001, "It has more than 200000 characters."),
}


def written(lesson: Any) -> str:
    is_text = isinstance(lesson, str) and lesson != "just a text"
    return lesson if is_text else json.dumps(lesson, ensure_ascii=False)


def test_lessons_are_checked(node: Node) -> None:
    files = [written(make_lesson()), OWN, *(written(wrong) for wrong, _ in WRONG.values())]
    lines = f"{READ} write({json.dumps(files)}.map((text) => tell(text, descents[0].data)));"
    (good, own, *told) = node(lines, (make_run(), make_dataset()))
    assert good == [[make_lesson()], [[], []]]
    assert own == [json.loads(OWN), [[], []]]
    for (name, (_, expected)), (lessons, (english, chinese)) in zip(
        WRONG.items(), told, strict=True
    ):
        assert lessons == [], name
        assert any(expected in line for line in english), (name, english)
        assert len(chinese) == len(english), name
        assert not any("undefined" in line for line in [*english, *chinese]), name


def test_the_documentation_tells_the_format(node: Node) -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", DOCS, re.DOTALL)
    lines = (
        f"{READ} const {{ data }} = descents[0];"
        f"write([tell({json.dumps(shown)}, data), Object.keys(MEASURES),"
        " Object.keys(data.offered)]);"
    )
    (lessons, faults), measures, settings = node(lines, (make_run(), make_dataset()))
    assert lessons == [json.loads(shown)]
    assert faults == [[], []]
    measured = DOCS.split("| measure | what it is |")[1]
    assert (
        re.findall(r"`([a-z ]+)`", "".join(re.findall(r"^\| (`.*?) \|", measured, re.M)))
        == measures
    )
    for name in settings:
        assert f"`{name}`" in DOCS, name
    assert re.findall(r"page.html#lesson=(\w+)`", DOCS) == NAMES


def test_each_lesson_of_the_page_has_both_languages_and_an_address(node: Node) -> None:
    assert NAMES == ["overshoot", "slow", "equal", "raw", "silence", "test", "memorise", "photo"]
    for lesson in json.loads(OWN):
        texts = [lesson["title"], lesson["text"], lesson["ask"]]
        texts += [answer["because"] for answer in lesson["answers"]]
        texts += [a["text"] for a in lesson["answers"] if a["text"] not in ("“{yes}”", "“{no}”")]
        assert all(list(part) == ["en", "zh"] for part in texts), lesson["id"]
    data = make_dataset()
    lines = (
        f"{READ} const own = {OWN};"
        "write(descents.map(({ data }) => own.map((lesson) => whyNot(lesson, data))));"
    )
    alone = Dataset(data.train, None, data.classes, data_source=data.data_source)
    (reasons,) = node(lines, (make_run(), alone), pictures=False)
    needed = {NAMES[5]: "needsTest", NAMES[7]: "needsPictures"}
    assert dict(zip(NAMES, reasons, strict=True)) == dict.fromkeys(NAMES) | needed


def test_measures_are_those_of_python(x64: None, node: Node) -> None:
    """After three steps, the first of which overshoots; each number is computed anew in Python."""
    data = make_dataset()
    run = make_run(learning_rate=9.0, weight_scale=0.5)
    lines = (
        f"{READ} const [descent] = descents; "
        "const before = stateBefore(descent, { split: 'test', at: 2 }); descent.step(3);"
        "descent.setPhoto(descent.data.splits.train.pixels.slice(48, 96));"
        "const names = Object.keys(MEASURES);"
        "write([names.map((name) => [name, measureOf(name, descent, before)]),"
        "unitOfLargestVote(descent)]);"
    )
    told, unit = node(lines, (run, data))
    found = dict(told)
    late = train_again(run, data, 3)
    costs = np.append(late.costs, train_again(run, data, 4).costs[-1])
    X, X_test = (
        run.preprocessing.columns(split.images, jnp.float64) for split in data.splits.values()
    )
    Y, Y_test = (
        jax.device_put(split.labels[None].astype(np.float64)) for split in data.splits.values()
    )
    now = [100 * float(accuracy(late.model.params, *part)) for part in ((X, Y), (X_test, Y_test))]
    stages = jax.device_get(jax.jit(forward)(late.model.params, X))
    of_test = jax.device_get(jax.jit(forward)(late.model.params, X_test))
    constant = 100 * max(data.train.labels.mean(), 1 - data.train.labels.mean())
    expected = {
        "outcome": late.outcome,
        "rises": int((np.diff(costs) > 0).sum()),
        "cost fall": 100 * (1 - costs[3] / costs[0]),
        "train accuracy": now[0],
        "test accuracy": now[1],
        "accuracy gap": now[0] - now[1],
        "accuracy change": now[0] - 100 * float(accuracy(run.model.params, X, Y)),
        "accuracy above constant": now[0] - constant,
        "different units": 3,
        "dead units": 100 * float((stages.Z1 <= 0).all(axis=1).mean()),
        "picture probability": 100 * float(of_test.A2[0, 2]),
        "photo probability": 100 * float(stages.A2[0, 1]),
    }
    assert found.pop("outcome") == expected.pop("outcome")
    assert expected["rises"] == 1
    # The photo is a picture whose grey was rounded.
    assert found.pop("photo probability") == pytest.approx(expected.pop("photo probability"), abs=1)
    assert found == pytest.approx(expected, rel=1e-7)
    votes = np.asarray(late.model.params["W2"])[0] * stages.A1.T
    assert unit == np.argmax(votes[data.train.labels == 1].sum(axis=0))


def test_the_true_answer_is_the_first_whose_condition_holds(node: Node) -> None:
    lines = f"""{READ}
    const numbers = [{{ below: 0 }}, {{ below: 5 }}, {{}}];
    const names = [{{ is: ["learning", "slow"] }}, {{ is: ["dead"] }}, {{}}];
    const [descent] = descents;
    descent.set({{ start: "equal" }}); descent.step(20);
    const before = stateBefore(descent, null);
    const equal = measureOf("different units", descent, before);
    descent.set({{ learning_rate: 1e200 }}); descent.step(9);
    write([[-1, 0, 4.9, 5, NaN].map((value) => truthOf(numbers, value)),
      ["slow", "dead", "plateau"].map((value) => truthOf(names, value)), equal,
      ["rises", "outcome", "cost fall"].map((name) => String(measureOf(name, descent, before)))]);
    """
    numbers, names, equal, broken = node(lines, (make_run(), make_dataset()))
    assert numbers == [0, 1, 1, 2, -1]
    assert names == [0, 1, 2]
    assert equal == 1
    assert int(broken[0]) >= 1
    assert broken[1:] == ["not finite", "NaN"]


def test_shuffled_labels_cost_what_they_cost_in_train(node: Node) -> None:
    """The labels of the training pictures, with their weights; undo brings the others back."""
    data = make_dataset()
    run = make_run(balanced=True)
    lines = (
        "const [descent] = descents; const { train, test } = descent.data.splits;"
        "const labels = () => [[...train.Y], [...test.Y], [...train.weights]];"
        "const first = labels();"
        "const kept = descent.copy(); descent.set({ labels: 'shuffled' });"
        "const shuffled = labels();"
        "descent.step(100); const { costs } = descent.state().train;"
        "const reason = whyNoCommand(descent); descent.set({ seed: 6 }); const other = labels();"
        "descent.restore(kept); write([first, shuffled, other, labels(), costs, reason]);"
    )
    first, shuffled, other, again, costs, reason = node(lines, (run, data))
    assert first[0] == data.train.labels.tolist()
    assert first == again
    assert shuffled[1] == first[1]
    assert shuffled[0] != first[0]
    assert other[0] != shuffled[0]
    assert sorted(shuffled[0]) == sorted(first[0])
    assert reason == "noCommandShuffled"
    changed = dataclasses.replace(data, train=data.train._replace(labels=np.array(shuffled[0])))
    expected = train_again(run, changed, 100).costs
    np.testing.assert_allclose(costs[:100], expected, rtol=0, atol=1e-9)


def numbers(page: "Page") -> dict[str, Any]:
    found = state(page)
    return {
        k: found[k] for k in ("iteration", "settings", "train", "test", "W2", "b1", "snapshots")
    }


def begin(page: "Page", at: int) -> None:
    """Open the cards, and begin a lesson by its place."""
    page.locator("[aria-controls=lessons]").click()
    page.locator(".lessonCard").nth(at).click()
    until(page, "document.querySelector('.guess') !== null")


def take(page: "Page", guess: int, photo: Path) -> str:
    """Guess, give a photo where one is asked for, and return what the page says."""
    page.locator(".guess").nth(guess).click()
    wanted = "document.querySelector('#lesson .said').textContent"
    until(page, f"{wanted} !== '' || document.querySelector('#lesson .primary') !== null")
    if page.locator("#lesson .primary").count():
        page.locator("#pictures input[type=file]").set_input_files(photo)
        until(page, f"{wanted} !== ''")
    return text(page, "#lesson .said")


def open_file(page: "Page", path: Path) -> None:
    with page.expect_file_chooser() as chooser:
        button(page, "Open a lesson file").click()
    chooser.value.set_files(path)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.new("RGB", (8, 8), (200, 90, 20)).save(path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_each_lesson_is_done_with_every_guess(show: Open, photo: Path, lang: str) -> None:
    page = show(make_run(weight_scale=0.5), fragment=f"#lang={lang}")
    page.evaluate("jaxnet.step(35)")
    page.evaluate("jaxnet.set({ learning_rate: 0.2, frozen: [2] }); jaxnet.step(7)")
    before, title, undoable = numbers(page), text(page, ".way .name"), page.locator(".undo")
    assert undoable.is_enabled()
    for at, name in enumerate(NAMES):
        begin(page, at)
        until(page, f"location.hash.includes('lesson={name}')")
        assert "t=42" in page.url
        assert page.locator(".look").count() == 1
        asked = page.locator("#lesson .ask").text_content()
        count = page.locator(".guess").count()
        marks = []
        for guess in range(count):
            said = take(page, guess, photo)
            marks.append(said[0])
            assert not any(sign in said for sign in ("{", "undefined", "NaN")), said
            page.locator("#lesson .buttons button").first.click()
            until(page, "document.querySelector('.guess') !== null")
            assert page.locator("#lesson .ask").text_content() == asked
        assert sorted(marks) == [*"✓", *"✗" * (count - 1)], name
        page.locator(".lessonHead button").click()
        assert page.locator("#lesson").is_hidden()
        assert page.locator(".look").count() == 0
        assert numbers(page) == before, name
        assert text(page, ".way .name") == title
    page.keyboard.press("Control+z")
    found = state(page)  # what could be undone before the lessons still can
    assert (found["iteration"], found["settings"]["learning_rate"]) == (35, 0.1)


@pytest.mark.slow
def test_a_lesson_has_an_address_that_also_leads_back(show: Open) -> None:
    page = show(fragment="#lesson=equal&t=30&learning_rate=0.2&picture=train-4")
    until(page, "document.querySelector('.guess') !== null")
    assert state(page)["settings"]["start"] == "equal"
    assert page.locator(".guess").first.evaluate("() => document.activeElement.tagName") == "H2"
    said = take(page, 1, Path())
    assert said.startswith("✗ You guessed: Each has its own weights. It came otherwise: Not at all")
    assert "3 units do what one could" in said
    page.wait_for_timeout(300)
    page.reload()  # the lesson begins again, and still leads to where one was
    until(page, "document.querySelector('.guess') !== null")
    button(page, "Back to where I was").click()
    found = state(page)
    assert (found["iteration"], found["settings"]["learning_rate"]) == (30, 0.2)
    assert text(page, ".way .name").startswith("train 4: ")
    until(page, "!location.hash.includes('lesson')")
    # A lesson of one's own stands in the address itself; it runs on the same page.
    own = quote(json.dumps(make_lesson(title="Mine", text=HOSTILE)))
    page = show(fragment=f"#lesson={own}")
    until(page, "document.querySelector('.guess') !== null")
    assert text(page, "#lesson h2") == "Mine"
    assert HOSTILE in text(page, "#lesson")
    assert text(page, ".ask") == "How much lower is the cost of yes after 20 steps?"
    assert state(page)["settings"]["learning_rate"] == 0.2
    assert state(page)["settings"]["silenced"] == [0]
    take(page, 0, Path())
    page.evaluate("scrollTo(0, 2000)")
    page.evaluate("location.hash = '#lesson=none'")
    until(page, "document.querySelector('.faults li') !== null")
    assert "There is no lesson “none”. There are: overshoot, slow," in text(page, ".faults")
    assert page.locator("#lesson").is_hidden()
    assert page.locator(".faults").evaluate("e => e.getBoundingClientRect().top") < 900
    page.evaluate("location.hash = '#t=3'")
    until(page, "jaxnet.state().iteration === 3")
    assert page.locator("#lesson").is_hidden()
    page.evaluate("location.hash = '#lessons=true'")
    until(page, "!document.querySelector('#lessons').hidden")
    assert page.locator(".lessonCard").count() == 9


@pytest.mark.slow
def test_what_is_changed_or_paused_in_between(show: Open) -> None:
    page = show()
    begin(page, 1)
    page.evaluate("jaxnet.set({ learning_rate: 0.5 })")
    page.locator(".guess").first.click()
    assert "changed in between" in text(page, "#lesson .said")
    button(page, "Begin this lesson again").click()
    until(page, "document.querySelector('.guess') !== null")
    page.evaluate("jaxnet.step(3)")
    page.locator(".guess").first.click()
    assert "changed in between" in text(page, "#lesson .said")
    button(page, "Begin this lesson again").click()
    until(page, "document.querySelector('.guess') !== null")
    page.get_by_label("Speed").select_option("slow")
    page.locator(".guess").first.click()
    until(page, "jaxnet.state().iteration > 1")
    button(page, "Pause").click()
    at = state(page)["iteration"]
    assert text(page, "#lesson .said") == f"Paused at iteration {at} of 500."
    button(page, "Go on").click()
    until(page, f"jaxnet.state().iteration > {at}")
    button(page, "Pause").click()
    page.get_by_label("Speed").select_option("full")
    button(page, "Play").click()
    until(page, "document.querySelector('#lesson .said').textContent.length > 60")
    assert state(page)["iteration"] == 500
    button(page, "Next lesson").click()
    until(page, "document.querySelector('.guess') !== null")
    assert text(page, "#lesson h2") == "Equal weights stay equal"
    # Another lesson while this one trains, and then back: one was at the first iteration.
    page.get_by_label("Speed").select_option("slow")
    page.locator(".guess").first.click()
    page.locator("[aria-controls=lessons]").click()
    page.locator(".lessonCard").first.click()
    until(page, "document.querySelector('.guess') !== null")
    assert text(page, "#lesson h2") == "α overshoots"
    button(page, "Back to where I was").click()
    assert state(page)["iteration"] == 0
    assert page.get_by_label("Speed").input_value() == "full"


@pytest.mark.slow
def test_a_file_of_lessons_is_opened_or_refused_in_words(show: Open, tmp_path: Path) -> None:
    page = show(make_run(weight_scale=0.5))
    page.evaluate("jaxnet.step(25)")
    before = numbers(page)
    page.locator("[aria-controls=lessons]").click()
    path = tmp_path / "lesson.json"
    for name, (wrong, expected) in WRONG.items():
        path.write_text(written(wrong), "utf-8")
        open_file(page, path)
        until(
            page, f"document.querySelector('.faults').textContent.includes({json.dumps(expected)})"
        )
        assert page.locator("#lesson").is_hidden(), name
        assert numbers(page) == before, name
    bad = [make_lesson(title=HOSTILE * 9, **{HOSTILE: HOSTILE}), make_lesson(title=HOSTILE[:79])]
    path.write_text(json.dumps(bad), "utf-8")
    open_file(page, path)
    until(page, "document.querySelectorAll('.lessonCard').length === 9")
    assert page.locator(".faults li").count() == 2
    assert "[1] title: 351 characters; at most 80 fit." in text(page, ".faults")
    assert page.locator("img").count() == 0
    path.write_text(json.dumps(make_lesson()), "utf-8")
    page.evaluate(
        "(json) => { const files = new DataTransfer();"
        "files.items.add(new File([json], 'mine.json'));"
        "document.body.dispatchEvent(new DragEvent('drop',"
        " { bubbles: true, cancelable: true, dataTransfer: files })); }",
        path.read_text("utf-8"),
    )
    until(page, "document.querySelector('.guess') !== null")
    assert text(page, "#lesson h2") == "Twice the α"
    assert text(page, ".way .name").startswith("train 3: ")
    assert text(page, "#pictures [role=alert]") == ""
    button(page, "Back to where I was").click()
    assert numbers(page) == before


@pytest.mark.slow
def test_lessons_leave_nothing_behind(show: Open, photo: Path) -> None:
    page = show(make_run(weight_scale=0.5))
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def measure() -> tuple[float, float, float]:
        session.send("HeapProfiler.collectGarbage")
        used = session.send("Runtime.getHeapUsage")
        metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
        size = used["usedSize"] + used.get("backingStorageSize", 0)
        return size, metrics["Nodes"], metrics["JSEventListeners"]

    def round_of_lessons() -> None:
        for at in (1, 2, 4, 7):
            begin(page, at)
            take(page, 0, photo)
            button(page, "Back to where I was").click()

    round_of_lessons()
    before = measure()
    for _ in range(3):
        round_of_lessons()
    after = measure()
    assert after[0] - before[0] < 300_000
    assert after[1] <= before[1] + 20
    assert after[2] <= before[2] + 5
