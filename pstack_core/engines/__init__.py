"""The engine contract: hooks, engines, sessions, commands and events."""
