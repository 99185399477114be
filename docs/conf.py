"""How the documentation becomes a site, after `pip install '.[docs]'`: English, and below it Korean.

sphinx-build -W docs build/site
sphinx-build -W -D language=ko docs build/site/ko
"""

import os
import sys
from pathlib import Path

import tinygrad_cnn

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "site"))

project = "tinygrad_cnn"
author = "the authors of tinygrad_cnn"
copyright = author
version = release = tinygrad_cnn.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_design",
    "docstrings",
    "languages",
    "pages",
    "figures",
    "formulas",
]
exclude_patterns = ["site", "ko"]  # a Korean text takes the place of the English one
language = "en"
locale_dirs = ["site/locale"]
highlight_language = "default"  # Python where it is Python, and otherwise plain, without a warning

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "html_image"]
myst_heading_anchors = 4  # those of a forge, so that links lead to the same place on both

autodoc_typehints = "none"
add_module_names = False
autodoc_member_order = "groupwise"
autosummary_generate = False
default_role = "code"

# A build needs no net, and the inventory of NumPy's documentation is there: `np.NAME` is a link to it if NUMPY_LINKS=1
# is set, or NUMPY_LINKS=FILE with a copy of https://numpy.org/doc/stable/objects.inv.
if inventory := os.environ.get("NUMPY_LINKS"):
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {"numpy": ("https://numpy.org/doc/stable/", None if inventory == "1" else inventory)}

html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_title = f"tinygrad_cnn {release}"
templates_path = ["site/templates"]
html_static_path = ["site/static"]
html_css_files = ["site.css"]
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system is
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "tinygrad_cnn"},
    "header_links_before_dropdown": 6,
    "navbar_persistent": ["language-switcher", "search-button-field"],
    "navbar_end": ["theme-switcher"],
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}
