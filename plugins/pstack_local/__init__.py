"""The engine ``local``: the native kernel on this machine, each run in a process of its own."""
