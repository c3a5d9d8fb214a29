"""Only what setup.cfg cannot say: the two extension modules that cffi builds."""

from setuptools import setup

setup(
    cffi_modules=[
        "native/pstack_scan/build_scan.py:ffibuilder",
        "native/pstack_native/build_kernel.py:ffibuilder",
    ]
)
