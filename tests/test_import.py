import subprocess
import sys

import pytest

import jaxnet

HEAVY = ("jax", "numpy", "h5py", "optax", "matplotlib", "PIL", "sklearn")


@pytest.mark.parametrize(
    "code",
    [
        "import jaxnet",
        "from jaxnet.commands.main import main; sys.argv[1:] = ['--help']; main()",
        "from jaxnet.commands.main import main; sys.argv[1:] = ['train', '--help']; main()",
    ],
)
def test_help_and_import_load_nothing_heavy(code: str) -> None:
    report = f"atexit.register(lambda: print([name for name in {HEAVY} if name in sys.modules]))"
    program = f"import atexit, sys\n{report}\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_importing_the_core_starts_no_device() -> None:
    code = (
        "import jaxnet.data.sketches; jaxnet.fit; jaxnet.backward; jaxnet.load_model\n"
        "from jax._src import xla_bridge; print(xla_bridge.backends_are_initialized())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_every_public_name_is_there() -> None:
    assert "fit" in dir(jaxnet)
    for name in jaxnet.__all__:
        assert getattr(jaxnet, name) is not None


def test_what_draws_nothing_imports_nothing_slow() -> None:
    slow = ("scipy.stats", "scipy.optimize", "matplotlib", "requests", "pooch")
    code = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print([name for name in {slow} if name in sys.modules]))\n"
        "import jaxnet.runs.train, jaxnet.report.run, jaxnet.evaluation.evaluate\n"
        "import jaxnet.report.display\n"
        "from jaxnet.commands.main import main\n"
        "sys.argv[1:] = ['data', 'sketches', '--count', '40']; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
