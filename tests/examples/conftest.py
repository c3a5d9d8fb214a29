"""The examples are scripts in docs/examples, not a package: make them importable."""

import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

sys.path.insert(0, str(EXAMPLES))
