"""What a wheel holds besides the code."""

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]
DATA = {
    "bots/prompts/assistant.md",
    "bots/slack/app.yaml",
    "memory/prompts/extraction.md",
    "memory/prompts/summary.md",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel of this checkout."""
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"])
    return Path(built)


def test_all_data_is_in_it_and_nothing_but_our_packages(wheel: Path) -> None:
    """Prompts and the manifest beside the modules; no tests, no manifests folder."""
    names = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}

    assert {name for name in names if not name.endswith(".py")} == DATA
    assert {name.partition("/")[0] for name in names} == {"bots", "memory"}


def test_an_installed_recall_prints_the_manifest(wheel: Path, tmp_path: Path) -> None:
    """Without a checkout, to the letter."""
    ZipFile(wheel).extractall(tmp_path)
    printed = subprocess.run(  # our own program
        [sys.executable, "-m", "bots", "manifest", "slack"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        timeout=60,
        check=True,
    )

    assert printed.stdout == (ROOT / "manifests" / "slack" / "app.yaml").read_bytes()
