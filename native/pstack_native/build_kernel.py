"""cffi builder of ``pstack_native._kernel``: the watcher's and the worker's C side."""

from pathlib import Path

from cffi import FFI

HERE = Path(__file__).resolve().parent


def declarations(header: Path) -> str:
    """The part of a header that cffi can read: it is marked, and has no other preprocessing."""
    text = header.read_text()
    return text.split("/* cffi reads from here */")[1].split("/* cffi reads to here */")[0]


ffibuilder = FFI()
ffibuilder.cdef(declarations(HERE / "include" / "pstack_kernel.h"))
ffibuilder.cdef(declarations(HERE / "kernel.h"))
ffibuilder.set_source(
    "pstack_native._kernel",
    '#include "kernel.h"',
    # Relative to setup.py, as setuptools wants them.
    sources=["native/pstack_native/worker.c", "native/pstack_native/edges.c"],
    include_dirs=["native/pstack_native", "native/pstack_native/include"],
    libraries=["dl"],
    extra_compile_args=["-O2", "-std=gnu11"],
)

if __name__ == "__main__":
    ffibuilder.compile(verbose=True)
