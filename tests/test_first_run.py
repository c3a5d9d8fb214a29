"""The README's first command, on a copy of the tree with nothing installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_one_command_sets_up_and_runs_the_example(tmp_path: Path) -> None:
    """Also that what is installed is complete: the copy is built and left."""
    readme = (ROOT / "README.md").read_text()
    one, _ = re.findall(r"^    (python3 -m venv .*)$", readme, re.MULTILINE)
    left_out = shutil.ignore_patterns(".*", "build", "*.egg-info", "*.so", "__pycache__")
    shutil.copytree(ROOT, tmp_path / "pstack", ignore=left_out)
    done = subprocess.run(
        ["bash", "-c", one], cwd=tmp_path / "pstack", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Metric [Delivered messages]: 40" in done.stdout
