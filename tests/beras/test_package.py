import subprocess
import sys


def test_importing_beras_loads_nothing_but_numpy():
    heavy = "{'tensorflow', 'jinja2', 'matplotlib', 'rich', 'hypothesis', 'gradcheck', 'torch', 'scipy'}"
    code = f"import beras, sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_name_in_all_exists():
    import beras

    assert [name for name in beras.__all__ if not hasattr(beras, name)] == []
