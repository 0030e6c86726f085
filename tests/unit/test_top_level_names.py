"""`bots` and `memory` are names that other projects use too."""

import importlib
from pathlib import Path

import pytest


@pytest.mark.parametrize("name", ["bots", "memory"])
def test_the_packages_are_this_checkout(name: str) -> None:
    """A foreign package of the same name does not stand before ours."""
    origin = importlib.import_module(name).__file__

    assert origin is not None
    assert Path(origin).parents[1] == Path(__file__).parents[2]
