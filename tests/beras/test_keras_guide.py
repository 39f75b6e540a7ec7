"""What Keras' guides show runs with Beras once the names are Beras'."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).resolve().parents[1] / "keras_guide.md"

# The only changes: a name to a name. Longer ones first, where one is part of the other.
NAMES = {
    "import keras": "import beras as keras",
    "from keras import layers": "import beras as layers",
    "import tensorflow": "import beras",
    "keras.optimizers.schedules": "keras.schedules",
    "keras.optimizers": "keras.optimizer",
    "keras.models.Sequential": "keras.SequentialModel",
    "keras.models.load_model": "keras.load_model",
    "keras.Sequential": "keras.SequentialModel",
    "SparseCategoricalCrossentropy": "CategoricalCrossEntropy",
    "CategoricalCrossentropy": "CategoricalCrossEntropy",
    "BinaryCrossentropy": "BinaryCrossEntropy",
    "RMSprop": "RMSProp",
    "SGD": "BasicOptimizer",
    'layers.Activation("softplus")': "layers.Softplus()",
    "layers.add(": "layers.Add()(",
    "layers.concatenate(": "layers.Concatenate()(",
    "keras.layers": "keras",
    "keras.losses": "keras",
    "def call(": "def forward(",
    "tf.constant": "tf.Tensor",
    "tf.reduce_mean": "np.mean",
    "tf.reduce_sum": "np.sum",
    "tf.sin": "np.sin",
    "tf.exp": "np.exp",
}


def guide() -> dict[str, str]:
    """Return the code under each heading."""
    found = re.findall(r"^## (.*?)\n\n```python\n(.*?)^```$", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return dict(found)


def in_beras(code: str) -> str:
    """Return a program with the names of Beras."""
    whole = [rf"\b{re.escape(name)}" + r"\b" * name[-1].isalnum() for name in NAMES]
    return re.sub("|".join(whole), lambda match: NAMES[match.group()], code)


def test_there_are_more_than_twenty() -> None:
    assert len(guide()) > 20


@pytest.mark.parametrize("title", guide())
def test_it_runs_with_beras(title: str) -> None:
    code = in_beras(guide()[title])
    assert not re.search(r"^(import|from) (keras|tensorflow)", code, re.MULTILINE)
    exec(compile(code, title, "exec"), {"__name__": "snippet"})
