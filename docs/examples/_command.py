"""What the examples' command lines share: size in, XML out."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from pstack_core.graph import Graph, save


def main(build: Callable[[int], Graph], size: int, meaning: str) -> None:
    """Write the graph that ``build`` makes; ``meaning`` says what the size counts."""
    parser = argparse.ArgumentParser(description=build.__doc__)
    parser.add_argument("--size", type=int, default=size, help=f"{meaning} (default {size})")
    parser.add_argument("--version", choices=("v3", "v4"), default="v3", help="format to write")
    parser.add_argument("-o", "--output", required=True, help="file to write")
    arguments = parser.parse_args()
    save(build(arguments.size), arguments.output, version=arguments.version)
