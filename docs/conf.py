"""Sphinx: the Markdown pages of this folder as HTML. Build with `sphinx-build docs html`."""

from __future__ import annotations

from importlib.metadata import version as installed

project = "pdenet-durr"
author = "The pdenet-durr authors"
version = release = installed("pdenet-durr")
extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["html"]
html_theme = "alabaster"
