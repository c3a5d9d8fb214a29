"""``python -m pstack_core`` is the command line."""

import sys

from pstack_core.shell.main import main

if __name__ == "__main__":
    sys.exit(main())
