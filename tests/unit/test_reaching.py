"""Reaching what a start needs: again for a while, and then one error that says whether another start may help."""

import pytest

from memory.errors import ConfigError, UnreachableError
from memory.reaching import all_reached, until_reached
from tests.fakes.clock import SwiftTimer


class Late:
    """Answers at the attempt of this number."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.given: list[float] = []

    async def __call__(self, left_s: float) -> str:
        self.given.append(left_s)
        if len(self.given) < self.number:
            raise UnreachableError([f"attempt {len(self.given)}"])
        return "here"


async def test_what_comes_late_is_reached() -> None:
    """Each attempt has what is left of the time."""
    late, timer = Late(3), SwiftTimer()

    assert await until_reached(late, timer=timer) == "here"
    assert late.given == [15, 14.5, 13.5]


async def test_what_never_comes_is_the_last_failure() -> None:
    """The pauses grow up to four seconds, and the last attempt has one."""
    late, timer = Late(99), SwiftTimer()
    with pytest.raises(UnreachableError, match="attempt 7"):
        await until_reached(late, timer=timer)

    assert timer.sleeps == [0.5, 1, 2, 4, 4, 2.5]
    assert late.given[-1] == 1


async def test_what_has_to_be_mended_is_told_at_once() -> None:
    """Waiting would not help."""
    timer = SwiftTimer()

    async def refuse(_: float) -> None:
        raise ConfigError(["TOKEN: no"])

    with pytest.raises(ConfigError, match="TOKEN: no"):
        await until_reached(refuse, timer=timer)
    assert timer.sleeps == []


async def _fail(error: ConfigError) -> None:
    raise error


async def test_all_that_is_wrong_is_told_at_once() -> None:
    """Another start helps only if nothing has to be mended."""
    away, also_away, wrong = UnreachableError(["a"]), UnreachableError(["b"]), ConfigError(["c"])
    with pytest.raises(UnreachableError, match="a\nb"):
        await all_reached(_fail(away), _fail(also_away))
    with pytest.raises(ConfigError, match="a\nc") as mixed:
        await all_reached(_fail(away), _fail(wrong))

    assert not isinstance(mixed.value, UnreachableError)
    await all_reached()
