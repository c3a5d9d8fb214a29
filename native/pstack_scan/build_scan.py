"""Build ``pstack_scan._scan`` from the C sources beside this file.

setuptools runs it through ``cffi_modules``; by hand, ``python build_scan.py``
leaves the module in this folder.
"""

import os

from cffi import FFI

SOURCES = [
    "buffer.c",
    "cast.c",
    "chars.c",
    "constant.c",
    "devices.c",
    "edge_index.c",
    "edges.c",
    "events.c",
    "instance.c",
    "intern.c",
    "layout.c",
    "literal.c",
    "markup.c",
    "metadata.c",
    "number.c",
    "problems.c",
    "reader.c",
    "report.c",
    "rows.c",
    "scanner.c",
    "tags.c",
    "text.c",
    "token_length.c",
    "value.c",
    "value_braces.c",
    "value_json.c",
    "xml.c",
]


def make_builder(extra_compile_args: tuple[str, ...] = ()) -> FFI:
    """The builder, with source paths relative to the working directory as setuptools wants."""
    folder = os.path.relpath(os.path.dirname(os.path.abspath(__file__)))
    with open(os.path.join(folder, "scan_api.h"), encoding="utf-8") as header:
        declarations = [line for line in header if not line.startswith("#")]
    builder = FFI()
    builder.cdef("".join(declarations))
    builder.set_source(
        "pstack_scan._scan",
        '#include "scan_api.h"',
        sources=[os.path.join(folder, name) for name in SOURCES],
        depends=[
            os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".h")
        ],
        include_dirs=[folder],
        extra_compile_args=["-std=gnu11", "-O3", *extra_compile_args],
    )
    return builder


if __name__ == "__main__":
    os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    make_builder().compile(target="_scan.abi3.so", verbose=True)
else:
    ffibuilder = make_builder()
