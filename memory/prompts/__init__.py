"""The prompts, as package data. The first line of each says its version and is not part of what the model sees."""

import functools
from importlib.resources import files
from typing import Literal

PromptName = Literal["extraction", "summary"]


def load_prompt(name: PromptName) -> str:
    """Return a prompt's text."""
    return _read(name)[1]


def prompt_version(name: PromptName) -> str:
    """Return a prompt's version, such as "1"."""
    return _read(name)[0]


@functools.cache
def _read(name: PromptName) -> tuple[str, str]:
    first, _, text = files(__name__).joinpath(f"{name}.md").read_text(encoding="utf-8").partition("\n")
    return first.removeprefix("version:").strip(), text.strip()
