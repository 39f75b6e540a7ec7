"""The documentation site: `tox -e docs` builds it, with warnings as errors and every code cell executed."""

from gradcheck import __version__

project = "gradcheck and Beras"
author = "the authors of gradcheck and Beras"
release = version = __version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
exclude_patterns = ["_build", "examples/*"]
html_theme = "furo"
html_title = "gradcheck and Beras"

myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_timeout = 120
nb_execution_raise_on_error = True
nb_execution_show_tb = True

default_role = "code"  # docstrings write `name`, as everything here does
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
nitpicky = False
