"""How a result shows itself in a notebook: its page's own content where the extra `report` is there, else its text."""

from __future__ import annotations

from html import escape
from importlib.util import find_spec

from gradcheck.results import ComponentResult


def fragment(result: ComponentResult) -> str:
    """Return HTML for `_repr_html_`."""
    if all(find_spec(name) is not None for name in ("jinja2", "matplotlib")):
        from gradcheck.report import html

        return html.embedded(result)
    return f"<pre>{escape(str(result))}</pre>"
