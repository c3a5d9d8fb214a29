"""The worker process: maps the instance, opens the compiled type, runs it.

Run as a script by the process that watches it, without the site module: it
needs cffi's run time and ``_kernel`` only, and starts in a few milliseconds.
"""

import mmap
import os
import resource
import sys


def main() -> None:
    """Arguments: import path, compiled type, fds of image and control, bytes, seconds, parent."""
    path, library, image_fd, control_fd, memory, cpu, parent = sys.argv[1:]
    sys.path[:0] = path.split(os.pathsep)
    from _kernel import ffi, lib  # type: ignore[import-not-found]

    blocks = [mmap.mmap(int(fd), 0) for fd in (image_fd, control_fd)]
    os.close(int(image_fd))
    os.close(int(control_fd))
    image = ffi.cast("pstack_image *", ffi.from_buffer(blocks[0]))
    control = ffi.cast("pstack_control *", ffi.from_buffer(blocks[1]))
    lib.pstack_worker_prepare(control, int(parent))
    if int(memory):
        with open("/proc/self/statm") as statm:
            now = int(statm.read().split()[0]) * mmap.PAGESIZE
        resource.setrlimit(resource.RLIMIT_AS, (now + int(memory),) * 2)
    if int(cpu):
        resource.setrlimit(resource.RLIMIT_CPU, (int(cpu), int(cpu) + 2))
    status = lib.pstack_worker_run(os.fsencode(library), image, control)
    lib.pstack_worker_exit(1 if status else 0)


if __name__ == "__main__":
    main()
