"""The assistant's instructions, as package data. The first line is the version, which the model does not see."""

from importlib.resources import files


def assistant_prompt() -> str:
    """Return the assistant's instructions: the same for every turn and every platform."""
    text = files(__name__).joinpath("assistant.md").read_text(encoding="utf-8")
    return text.partition("\n")[2].strip()
