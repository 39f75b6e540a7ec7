"""Leaves the modules that need the extra `report` out of the doctests where it is not installed."""

from importlib.util import find_spec

_HERE = all(find_spec(name) for name in ("jinja2", "matplotlib"))
collect_ignore = [] if _HERE else [f"gradcheck/report/{name}.py" for name in ("html", "pictures", "sheet")]
