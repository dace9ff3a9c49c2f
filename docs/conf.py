"""How Sphinx builds the site: `sphinx-build --fail-on-warning docs docs/_build`.

Pages that hold `{code-cell}` blocks are notebooks: the build runs them, shows what they print and draw,
and writes each as an .ipynb file for download.
"""

from pathlib import Path

import jupytext
import sphinx.application

import jaxnet

# The repository on GitHub, as "owner/name". Where it is filled in, notebooks link to Google Colab.
REPOSITORY = ""

project = "jaxnet"
copyright = "2026, the jaxnet developers"
release = jaxnet.__version__
html_title = f"jaxnet {release}"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 4

html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
html_theme_options = {"show_toc_level": 2, "use_download_button": False}
