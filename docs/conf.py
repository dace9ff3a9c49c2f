"""How Sphinx builds the site: `sphinx-build --fail-on-warning docs docs/_build`.

Pages with `{code-cell}` blocks are notebooks: the build runs them, shows what they print and draw,
and writes each as an .ipynb file beside its page.
"""

from pathlib import Path
from typing import Any

import jupytext
import nbformat
from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

import jaxnet
from jaxnet.report.page.build import write_page

# The repository on GitHub, as "owner/name". Where it is filled in, every notebook gets a link that
# opens it in Google Colab, from the branch `gh-pages`, which holds the site.
REPOSITORY = ""

project = "jaxnet"
author = "the jaxnet developers"
copyright = f"2026, {author}"
release = jaxnet.__version__
html_title = "jaxnet"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build"]
default_role = "code"
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 4

html_theme = "sphinx_book_theme"
html_theme_options = {
    "navbar_persistent": [],  # the search is in the side bar
    "show_toc_level": 2,
    "use_download_button": False,
}
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["formulas.css"]
html_math_renderer = "mathml"

nb_execution_mode = "cache"  # a page is run again when its code has changed
nb_execution_raise_on_error = True
nb_execution_timeout = 600  # seconds a cell
nb_merge_streams = True

autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_use_ivar = True  # fields are listed once, in the docstring of their class


def is_notebook(text: str) -> bool:
    """Say whether a page has cells that can be run."""
    return "\n```{code-cell}" in text


def add_links(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the links to the notebook under the title of a page that is one."""
    if not is_notebook(source[0]):
        return
    name = docname + ".ipynb"
    links = f'<a href="{name}" download>Download this page as a notebook</a>'
    if REPOSITORY:
        colab = f"https://colab.research.google.com/github/{REPOSITORY}/blob/gh-pages/{name}"
        links += f' · <a href="{colab}">open it in Colab</a>'
    head, title, rest = source[0].partition("\n# ")
    heading, _, body = rest.partition("\n")
    source[0] = f"{head}{title}{heading}\n\n{links}\n{body}"


def write_notebooks(app: Sphinx, error: Exception | None) -> None:
    """Write each notebook page as an .ipynb file."""
    for path in sorted(Path(app.srcdir).glob("*.md")):
        text = path.read_text(encoding="utf-8")
        if error is not None or not is_notebook(text):
            continue
        notebook = jupytext.reads(text, "md:myst")
        if REPOSITORY:  # in Colab nothing is installed yet
            command = f"%pip install --quiet git+https://github.com/{REPOSITORY}"
            notebook.cells.insert(0, nbformat.v4.new_code_cell(command))
        nbformat.write(notebook, str(app.outdir / f"{path.stem}.ipynb"))


def write_live_page(app: Sphinx, error: Exception | None) -> None:
    """Train the article's network on sketches and write the page of that run, and an empty one."""
    if error is None:
        jaxnet.empty_page().save(app.outdir / "empty.html")
        data = jaxnet.load_dataset("sketches")
        write_page(app.outdir / "network.html", jaxnet.train(data), data)


def skip_fields(
    app: Sphinx, what: str, name: str, member: Any, skip: bool, options: Any
) -> bool | None:
    """Leave the fields of named tuples to the docstring of their class."""
    return True if type(member).__name__ == "_tuplegetter" else None


def write_formula(translator: HTML5Translator, node: nodes.math | nodes.math_block) -> None:
    """Write a formula as MathML, which browsers draw without a script and without a connection."""
    block = isinstance(node, nodes.math_block)
    formula = tex2mathml(node.astext(), as_block=block)
    translator.body.append(f'<div class="formula">{formula}</div>' if block else formula)
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Connect the functions above."""
    app.add_html_math_renderer("mathml", (write_formula, None), (write_formula, None))
    app.connect("source-read", add_links)
    app.connect("autodoc-skip-member", skip_fields)
    app.connect("build-finished", write_notebooks)
    app.connect("build-finished", write_live_page)
