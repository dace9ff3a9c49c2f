"""A network as one Python file that predicts picture files with NumPy and Pillow alone.

The file contains the sources of the modules that jaxnet itself reads pictures with, so that it
treats every picture alike, or refuses it: HEIC pictures, which Pillow does not read.
"""

import ast
import base64
import inspect
import textwrap
from pathlib import Path
from types import ModuleType

import numpy as np

from jaxnet import __version__
from jaxnet.data import color, decode, depth, pixels, png
from jaxnet.io import content
from jaxnet.runs import standalone
from jaxnet.runs.model import Model

# In the order of their imports, as in docs/files.md. No two share a name.
MODULES: tuple[ModuleType, ...] = (content, png, color, depth, decode, pixels, standalone)

VERSION_CHECK = """\
if sys.version_info < (3, 11):
    sys.exit("this file needs Python 3.11 or newer")
"""

LICENSE = """\
MIT License

Copyright (c) 2026 The jaxnet developers

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""


def write_numpy(model: Model, path: Path) -> None:
    """Write a network as a Python file, with everything that it needs."""
    names = [module.__name__.replace(".", "/") + ".py" for module in MODULES]
    sources = [_split(module) for module in MODULES]
    imports = _merge([node for nodes, _ in sources for node in nodes])
    bodies = [f"# {name}\n\n{body}" for name, (_, body) in zip(names, sources, strict=True)]
    parts = [_docstring(model), imports, VERSION_CHECK, *bodies, _network(model)]
    path.write_text("\n\n\n".join(part.strip("\n") for part in parts) + "\n", encoding="utf-8")


def _docstring(model: Model) -> str:
    words = f"""\
Predict picture files by a network that jaxnet {__version__} wrote, without jaxnet.

    python THIS_FILE.py photo.jpg other.png    # prints probabilities as CSV

In Python, import it and call predict_files(["photo.jpg"]); it returns the probability of the
second of CLASSES for each. It needs Python 3.11, NumPy, and Pillow 11, or newer ones. Pictures are
treated as jaxnet does, by its own functions below; what they cannot treat alike is refused.

"""
    return f'"""{words}{LICENSE}"""'


def _split(module: ModuleType) -> tuple[list[ast.Import | ast.ImportFrom], str]:
    """Split a module into the imports that are not jaxnet's, and what follows its imports."""
    source = inspect.getsource(module)
    nodes = [n for n in ast.parse(source).body if isinstance(n, ast.Import | ast.ImportFrom)]
    body = "\n".join(source.splitlines()[nodes[-1].end_lineno :])
    return [node for node in nodes if not _is_ours(node)], body


def _is_ours(node: ast.Import | ast.ImportFrom) -> bool:
    return isinstance(node, ast.ImportFrom) and str(node.module).startswith("jaxnet.")


def _merge(nodes: list[ast.Import | ast.ImportFrom]) -> str:
    """Write imports without repetition."""
    lines = sorted({ast.unparse(node) for node in nodes if isinstance(node, ast.Import)})
    named: dict[str, set[str]] = {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            named.setdefault(str(node.module), set()).update(name.name for name in node.names)
    lines += [f"from {name} import {', '.join(sorted(named[name]))}" for name in sorted(named)]
    return "\n".join(lines)


def _network(model: Model) -> str:
    """Write the network itself, and the functions of the file."""
    how = model.preprocessing
    dtype = np.dtype(model.params["W1"].dtype).newbyteorder("<")
    parts = [np.asarray(model.params[name]).ravel() for name in ("W1", "b1", "W2", "b2")]
    packed = base64.b64encode(np.concatenate(parts).astype(dtype).tobytes()).decode()
    lines = textwrap.wrap(packed, 96)
    return f'''\
CLASSES = {model.classes!a}

NETWORK = Network(
    size={(len(model.params["W1"]), how.height, how.width)},
    color="{how.color}",
    pixel_scale="{how.pixel_scale}",
    activation="{model.hidden.name}",
    classes=CLASSES,
    dtype="{dtype.str}",
    packed="""
{chr(10).join(lines)}
""",
)

predict_files = NETWORK.predict_files

if __name__ == "__main__":
    sys.stdout.reconfigure(errors="surrogateescape")  # names of files that are not UTF-8
    sys.exit(NETWORK.run(sys.argv[1:]))
'''
