"""Sphinx configuration: pages build offline, with all fonts and scripts beside them."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from findingmodel import __version__

project = "findingmodel"
author = "the findingmodel authors"
copyright = "the findingmodel authors, MIT licence"  # noqa: A001  # Sphinx requires this name
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "generated"]
exclude_patterns = ["_build"]
nitpicky = False
default_role = "py:obj"  # `Index.get` in a docstring becomes a link if the target exists

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]

add_module_names = False
toc_object_entries_show_parents = "hide"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 80
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False

html_theme = "pydata_sphinx_theme"
html_title = "findingmodel"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_use_index = False
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "findingmodel"},
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button"],
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
}
html_sidebars: dict[str, list[str]] = {page: [] for page in ("index", "tutorial", "migrating", "genindex")}
