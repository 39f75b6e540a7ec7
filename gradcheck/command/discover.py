"""Where a target stands: from what was typed to files and module names, without running any of them.

The command's own process never imports the code that it checks; only worker processes do
(`gradcheck.command.loading`). So everything in here looks at files and import paths alone.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.machinery
import importlib.util
import os
import pkgutil
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from gradcheck.errors import UsageError, shown

NOTEBOOK = ".ipynb"
_RELATIVE = re.compile(rb"^\s*from\s+\.", re.MULTILINE)


@dataclass(frozen=True)
class Place:
    """A resolved target.

    `module` is a dotted name that can be imported with `folder` (if it is not `""`) first on `sys.path`; `file`
    is where its source stands; `attribute` is what is asked for inside it (`""`: everything); `package` says
    that there are modules below it. A folder of scripts has no name: its modules stand at the top. A file whose
    name has dots (`layers.v2.py`) is called `layers_v2`, and imported by its file.
    """

    target: str
    module: str
    file: str
    folder: str
    attribute: str = ""
    package: bool = False

    @property
    def shown(self) -> str:
        """The file, relative to the current folder where it lies inside it."""
        return shown(self.file)


@dataclass(frozen=True)
class Module:
    """One module to look into: its dotted name and its file (for a package: its folder, or its `__init__.py`)."""

    name: str
    file: str

    @property
    def root(self) -> str:
        """The folder that it is imported from.

        >>> Module("beras.layers", "/home/ada/beras/layers.py").root
        '/home/ada'
        """
        file = Path(self.file)
        return str((file.parent if file.name == "__init__.py" else file).parents[self.name.count(".")])


def resolve(target: str, here: str = "", path: Sequence[str] | None = None) -> Place:
    """Find what `target` names in the folder `here` (default: the current one).

    A dotted name is looked up there first, then along `path` (default `sys.path`); anything that looks like a
    file (`layers.py`, `layers.py::Dense`, `code/beras`) is taken as one. `UsageError` says what was looked
    for, and where, when there is nothing.
    """
    here = here or os.getcwd()
    if not target.strip() or "\0" in target:
        raise UsageError(f"expected a class, module, package or file to check, but got {target!r}")
    name, colons, attribute = target.partition("::")
    if colons and not _is_dotted(attribute):
        raise UsageError(f"expected FILE::NAME, but {attribute!r} in {target!r} is not a name")
    looks_like_a_file = (
        colons or name.endswith((".py", NOTEBOOK)) or os.sep in name or "/" in name or name in (".", "..")
    )
    if looks_like_a_file:
        return _resolve_file(target, name, attribute, here)
    if not _is_dotted(name) and os.path.exists(os.path.join(here, name)):  # a folder whose name no import can spell
        return _resolve_file(target, name, "", here)
    path = sys.path if path is None else path
    if _is_dotted(name) or (all(name.split(".")) and find(name.split(".")[0], [here, *path], bool(path)) is not None):
        place = _resolve_name(target, name, here, path)
        if not place.attribute or (_is_dotted(place.attribute) and place.attribute.split(".")[0] != "py"):
            return place
    hint = meant(name, [*_neighbours(Path(here)), *_tidied(name)])
    raise UsageError(
        f"expected a name such as beras.layers.Dense or a file such as layers.py, but got {target!r}{hint}"
    )


def _is_dotted(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _tidied(name: str) -> list[str]:
    """What somebody may have meant who typed a dot or a colon too many or too few.

    >>> _tidied("beras..layers."), _tidied("layers.py:Dense"), _tidied("layers.py.Dense")
    (['beras.layers'], ['layers.py::Dense'], ['layers.py::Dense'])
    """
    tidy = re.sub(r"\.py[.:]+(?=\w)", ".py::", re.sub(r"\.+", ".", name).strip(".:"))
    return [tidy] if tidy != name else []


def _resolve_file(target: str, name: str, attribute: str, here: str) -> Place:
    try:
        file = Path(here, name).resolve()
        there = file.exists()
    except (OSError, RuntimeError, ValueError) as error:  # ValueError: characters that no file name has
        raise UsageError(f"cannot look for {name!r}: {error}") from error
    if not there:
        raise UsageError(f"there is no file {name!r}{meant(file.name, _neighbours(file.parent))}")
    if file.is_dir() and not any(file.glob("*.py")) and not any(file.glob("*/*.py")):
        raise UsageError(f"there is no Python file in {name!r}: name a module, a package or a .py file")
    if not file.is_dir() and file.suffix not in (".py", NOTEBOOK):
        raise UsageError(f"expected a Python file, a notebook or a folder of files, but {name!r} is none of these")
    if file.suffix == NOTEBOOK:
        return Place(target, _module_name(file), str(file), str(file.parent), attribute)
    top = file if file.is_dir() else file.parent
    parts = [] if file.is_dir() else [_module_name(file)]
    while _is_package(top):
        parts.insert(0, top.name)
        top = top.parent
    if file.stem == "__init__":
        parts.pop()
        file = file.parent
    if attribute and not parts:
        raise UsageError(
            f"{name!r} is a folder of scripts: name the file, such as {os.path.join(name, 'FILE.py')}::{attribute}"
        )
    return Place(target, ".".join(parts), str(file), str(top), attribute, file.is_dir())


def _module_name(file: Path) -> str:
    """The name that a file is imported by: a dot in it would mean a package."""
    return file.stem.replace(".", "_")


def _is_package(folder: Path) -> bool:
    """A folder whose modules are imported through it: it says so, or they import each other relatively."""
    if "." in folder.name:  # which no import can name
        return False
    if (folder / "__init__.py").exists():
        return True
    try:
        return any(_RELATIVE.search(path.read_bytes()) for path in folder.glob("*.py"))
    except OSError:  # what cannot be read is reported when it is imported
        return False


def _resolve_name(target: str, name: str, here: str, path: Sequence[str]) -> Place:
    importlib.invalidate_caches()
    parts = name.split(".")
    spec = find(parts[0], [here, *path], anywhere=bool(path))
    if spec is None:
        known = sorted({found.name for found in pkgutil.iter_modules([here])})
        where = "the current folder or on sys.path" if path else here
        raise UsageError(f"there is no module {parts[0]!r} in {where}{meant(parts[0], known)}")
    used = 1
    while used < len(parts) and spec.submodule_search_locations is not None:
        # By its last name alone: for a dotted one, Python looks its parent up among the modules that are imported.
        deeper = PathFinder.find_spec(parts[used], list(spec.submodule_search_locations))
        if deeper is None:
            break
        spec, used = deeper, used + 1
    places = list(spec.submodule_search_locations or [])
    file = spec.origin if spec.has_location and spec.origin else places[0] if places else spec.origin or "built-in"
    if places and not spec.has_location and not _has_modules(spec):
        raise UsageError(f"{name!r} is a folder without Python files: nothing to check there")
    return Place(target, ".".join(parts[:used]), file, "", ".".join(parts[used:]), bool(places))


def find(name: str, path: Sequence[str], anywhere: bool = True) -> ModuleSpec | None:
    """Find a top-level module along `path`, then by any other finder (editable installs), importing nothing.

    A folder of Python files without `__init__.py` counts in the first place of `path`: Python itself would prefer
    an installed package of that name to it.
    """
    first = PathFinder.find_spec(name, list(path[:1]))
    if first is not None and (first.origin is not None or _has_modules(first)):
        return first
    spec = PathFinder.find_spec(name, list(path))
    if not anywhere or (spec is not None and (spec.origin is not None or _has_modules(spec))):
        return spec
    for finder in sys.meta_path:
        if finder is not PathFinder and (other := finder.find_spec(name, None)) is not None:
            return other
    return spec


def _has_modules(spec: ModuleSpec) -> bool:
    """A folder without `__init__.py` counts as a package only where it holds Python files."""
    return any(True for place in spec.submodule_search_locations or [] for _ in Path(place).glob("*.py"))


def modules(place: Place) -> list[Module]:
    """Return the modules that a place stands for, outermost first: one, or a package and everything below it.

    `__main__` modules are left out, since importing them starts a program.
    """
    if not place.package or place.attribute:
        return [Module(place.module, place.file)]
    folder = place.file if os.path.isdir(place.file) else os.path.dirname(place.file)
    own = os.path.join(folder, "__init__.py")
    first = [Module(place.module, own)] if os.path.exists(own) else []
    return first + list(_below(place.module, folder))


def refuse_namesakes(places: Sequence[Place]) -> None:
    """Refuse two modules of one name in different files: a process, a list and a report have room for one of them."""
    files: dict[str, str] = {}
    for module in (module for place in places for module in modules(place)):
        file = os.path.realpath(module.file)
        file = os.path.dirname(file) if os.path.basename(file) == "__init__.py" else file
        if files.setdefault(module.name, file) != file:
            raise UsageError(
                f"both {shown(files[module.name])} and {shown(file)} are called {module.name}: "
                "check them with --each, or with two commands"
            )


def folders_passed_over(place: Place) -> list[str]:
    """Return the folders of scripts inside a folder of scripts: each is imported by itself, as a target of its own."""
    if place.module or not place.package:
        return []
    inside = [Path(place.file, name) for name in _folders(place.file)]
    return sorted(str(folder) for folder in inside if any(folder.glob("*.py")) and not _is_package(folder))


def _below(name: str, folder: str) -> Iterator[Module]:
    scripts = (path for path in Path(folder).glob("[!.]*.py") if path.is_file() and path.stem != "__init__")
    files = [(_module_name(path), path.name) for path in scripts]
    inside = [inner for inner in _folders(folder) if "." not in inner]  # which no import can name
    packages = {inner for inner in inside if os.path.exists(os.path.join(folder, inner, "__init__.py"))}
    taken = {found for found, _ in files}
    plain = {inner for inner in inside if inner not in taken and (name or _is_package(Path(folder, inner)))}
    found = [one for one in files if one[0] not in packages] + [(inner, inner) for inner in packages | plain]
    for module, entry in sorted(found):
        inner, place = f"{name}.{module}" if name else module, os.path.join(folder, entry)
        if module == "__main__" or _is_around(place, folder):
            continue
        if os.path.isfile(place):
            yield Module(inner, place)
            continue
        if module in packages:
            yield Module(inner, os.path.join(place, "__init__.py"))
        yield from _below(inner, place)


def _folders(folder: str) -> list[str]:
    """The folders in a folder, without caches, environments and hidden ones."""
    with os.scandir(folder) as entries:
        inside = [entry for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    return [
        entry.name
        for entry in inside
        if entry.name != "__pycache__" and not os.path.exists(os.path.join(entry.path, "pyvenv.cfg"))
    ]


def _is_around(place: str, folder: str) -> bool:
    """Whether `place` is a link to `folder` or to one that it stands in, so that looking into it has no end."""
    return os.path.join(os.path.realpath(folder), "").startswith(os.path.join(os.path.realpath(place), ""))


def _neighbours(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []


def meant(name: str, known: list[str]) -> str:
    """Return "; did you mean 'beras'?" where one of the known names is close, else nothing."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
