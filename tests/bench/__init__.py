"""Speed and memory of pstack beside a bare loop: ``python -m tests.bench``."""
