"""What all tests of Beras share."""

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def the_same_numbers_whichever_tests_ran_before(request):
    """Start a module's `random` anew: differences are rounded, and a test must not depend on the luck of a draw."""
    random = getattr(request.module, "random", None)
    if isinstance(random, np.random.Generator):
        random.bit_generator.state = np.random.default_rng(0).bit_generator.state
