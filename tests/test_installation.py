"""`jaxnet info` and `jaxnet.info`."""

import dataclasses
import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import jax
import pytest
from conftest import Result

import jaxnet as library
from jaxnet.evaluation import installation
from jaxnet.report.installation import describe_info

Run = Callable[..., Result]


def test_the_facts_are_those_of_the_installation(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("JAXNET_DATA_DIR", "~/cats")
    monkeypatch.setenv("XLA_FLAGS", f"--xla_dump_to={tmp_path}/dump")
    monkeypatch.setenv("JAX_TRANSFER_GUARD", "log")
    facts = library.info()
    assert facts.versions["jaxnet"] == library.__version__
    assert facts.versions["jax"] == version("jax")
    assert facts.devices == tuple(device.device_kind for device in jax.devices())
    assert facts.device_error is None
    assert facts.platform == jax.default_backend()
    assert facts.variables["JAX_TRANSFER_GUARD"] == "log"
    assert facts.variables["XLA_FLAGS"] == "--xla_dump_to=~/dump"
    assert (facts.downloads, facts.downloads_chosen) == ("~/cats", True)
    text = "\n".join(describe_info(facts))
    assert str(tmp_path) not in text
    for part in ("~/cats", "JAX_TRANSFER_GUARD=log", f"jax {version('jax')}", "free memory"):
        assert part in text


def test_an_extra_is_installed_if_all_its_packages_are(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {
        "jaxnet": ["numpy", 'jax[cuda]>=1; extra == "cuda"', 'pi-heif; extra == "heic"'],
        "jax": ['jaxlib<=1; extra == "cuda"', 'jax-cuda12-plugin[with-cuda]; extra == "cuda"'],
    }
    versions = {"jax": "1", "jaxlib": "1", "numpy": "1"}
    monkeypatch.setattr("importlib.metadata.requires", lambda name: asked[name])
    monkeypatch.setattr(installation, "_version", versions.get)
    extras = installation._extras()
    assert extras["cuda"] == ("jax-cuda12-plugin",)
    assert extras["heic"] == ("pi-heif",)
    versions["pi-heif"] = "1"
    assert installation._extras()["heic"] == ()


def test_a_device_that_cannot_be_used_is_a_fact(
    jaxnet: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("Unable to initialize backend 'tpu': no libtpu.so")

    monkeypatch.setattr(jax, "devices", fail)
    monkeypatch.setattr(installation, "_plugins", lambda: ("jax-cuda12-plugin",))
    result = jaxnet("info")
    assert result.code == 0
    assert "devices:      none: JAX cannot start its devices: Unable to initialize" in result.out
    assert "installed but not used: jax-cuda12-plugin" in result.out
    answer = json.loads(jaxnet("info", "--json").out)
    assert answer["devices"] == []
    assert "no libtpu.so" in answer["device_error"]
    assert answer.keys() == {field.name for field in dataclasses.fields(library.Info)}
