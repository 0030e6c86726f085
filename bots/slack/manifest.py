"""The manifest from which Slack installs Recall: package data in a wheel, `manifests/slack/app.yaml` in a checkout."""

from importlib.resources import files
from pathlib import Path

_CHECKOUT = Path(__file__).parents[2] / "manifests" / "slack" / "app.yaml"


def app_manifest() -> str:
    """Return the manifest, as YAML with comments."""
    packaged = files("bots.slack").joinpath("app.yaml")
    return (packaged if packaged.is_file() else _CHECKOUT).read_text(encoding="utf-8")
