"""The native kernel: code generation, the compile cache, and the worker that runs it."""
