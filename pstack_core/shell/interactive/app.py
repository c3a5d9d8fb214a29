"""The shell itself, on cmd2: prompt, history, statuses, the service and its news."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import cmd2
from cmd2 import rich_utils
from cmd2.exceptions import Cmd2ArgparseError
from rich.text import Text

from pstack_core.runtime import exit_status
from pstack_core.runtime.errors import ServiceError
from pstack_core.shell import commands, plugin_commands
from pstack_core.shell.columns import styled
from pstack_core.shell.context import Context
from pstack_core.shell.execute import execute
from pstack_core.shell.interactive.news import News, announcement
from pstack_core.shell.interactive.parsers import ShellParser, command_set
from pstack_core.shell.interactive.python import Runtime

if TYPE_CHECKING:
    from pstack_core.graph.model import Graph
    from pstack_core.runtime.service import Service
    from pstack_core.runtime.stored_result import StoredResult

NOT_FOUND = 127  # as in other shells

cmd2.Cmd.DEFAULT_CATEGORY = "Shell"  # what help calls the commands that cmd2 brings

INTRO = "pstack {version}: 'help' lists the commands, Tab completes, 'quit' or Ctrl-D leaves."


class Shell(cmd2.Cmd):
    """The commands of the command line at a prompt, on one service.

    ``status`` is the exit status of the last command.  ``interactive``: somebody
    sits at a terminal, so there are a prompt, history, the startup file and news.
    """

    def __init__(
        self,
        connect: Callable[[], Service] | None = None,
        *,
        interactive: bool = False,
        stop_on_error: bool = False,
        stdin: TextIO | None = None,
        stdout: TextIO | None = None,
    ) -> None:
        from pstack_core import __version__

        cmd2.set_default_argument_parser(ShellParser)
        self.interactive = interactive
        self.stop_on_error = stop_on_error
        self.status = 0
        self.foreground: set[int] = set()
        self.graphs: dict[str, Graph] = {}
        self._connect = connect or _connect
        self._service: Service | None = None
        self._news: News | None = None
        self._results: dict[int, StoredResult] = {}
        self._names: dict[int, list[str]] = {}
        plugins = plugin_commands.load()
        topics = {
            topic: {name: commands.command(name) for name in names if name not in commands.OUTSIDE}
            for topic, names in commands.TOPICS.items()
        }
        if plugins.commands:
            topics["Plugins"] = plugins.commands
        super().__init__(
            stdin=stdin,
            stdout=stdout,
            allow_cli_args=False,
            command_sets=[command_set(topic, found) for topic, found in topics.items()],
            include_py=True,
            intro=INTRO.format(version=__version__) if interactive else "",
            persistent_history_file=str(history_file()) if interactive else "",
            startup_script=str(startup_file()) if interactive else "",
            silence_startup_script=True,
            terminators=[],  # a semicolon would silently drop what follows it
        )
        self.scripts_add_to_history = False  # it is what somebody typed
        self.py_locals = Runtime(self.service, self.graphs).names()
        self.hidden_commands.append("exit")
        self.register_cmdfinalization_hook(self._after_command)

    def do_exit(self, _: cmd2.Statement) -> bool:
        """Leave the shell."""
        self.last_result = True
        return True

    # The service

    def service(self) -> Service:
        """The service, connected to when first needed.  Raises ServiceError."""
        if self._service is None:
            self._service = self._connect()
            if self.interactive:
                self._service.drive()
                self._news = News(self._service, self._service.status().user, self._announce)
        return self._service

    def disconnect(self) -> None:
        """Leave the service; the next command finds it again, or another."""
        news, service, self._news, self._service = self._news, self._service, None, None
        if news is not None:
            news.close()
        if service is not None:
            service.close()

    def result(self, pid: int) -> StoredResult:
        """The result of a process, read once."""
        if pid not in self._results:
            self._results = {pid: self.service().result(pid)}
        return self._results[pid]

    def device_names(self, pid: int) -> Iterable[str]:
        """The devices of a process, from its result or its application, read once."""
        if pid not in self._names:
            from pstack_core.graph import load

            graph = load(self.service().application(pid)[1])
            self._names = {pid: list(graph.devices.names)}
        return self._names[pid]

    # Commands

    def execute(self, command: commands.Command, arguments: argparse.Namespace) -> None:
        """Run one command; its exit status is the shell's from then on."""
        styles = {rich_utils.AllowStyle.NEVER: False, rich_utils.AllowStyle.ALWAYS: True}
        context = Context(
            stdout=self.stdout,
            stderr=sys.stderr,
            connect=self.service,
            colour=styles.get(rich_utils.ALLOW_STYLE),
            shell=True,
            foreground=self.foreground,
        )
        status = execute(context, lambda: command.run(context, arguments))
        self.status = status
        self.last_result = status == 0
        if command is commands.command("daemon"):
            self.disconnect()  # another may serve from now on
        if status == exit_status.INTERRUPTED and self.in_script():
            raise KeyboardInterrupt

    def onecmd(self, statement: cmd2.Statement | str, *, add_to_history: bool = True) -> bool:
        """Run one line and keep its status."""
        self.last_result = None
        self.status = 0
        try:
            stop = super().onecmd(statement, add_to_history=add_to_history)
        except Cmd2ArgparseError as error:
            code = getattr(error.__cause__, "code", None)
            self.status = code if isinstance(code, int) else 0
            raise
        except KeyboardInterrupt:
            self.status = exit_status.INTERRUPTED
            raise
        except Exception:
            self.status = exit_status.INTERNAL
            raise
        if self.last_result is False and not self.status:
            self.status = exit_status.FAILURE  # a command of cmd2's own
        return stop

    def default(self, statement: cmd2.Statement) -> bool | None:
        """Say that there is no such command."""
        self.status = NOT_FOUND
        near = get_close_matches(statement.command, self.get_visible_commands(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else "'help' lists them"
        Context(stderr=sys.stderr).error(f"there is no command {statement.command!r}; {hint}")
        return None

    def _after_command(
        self, data: cmd2.plugin.CommandFinalizationData
    ) -> cmd2.plugin.CommandFinalizationData:
        if self.stop_on_error and self.status:
            data.stop = True
        return data

    # Prompt and news

    def pre_prompt(self) -> None:
        """Make the prompt, and tell what ended during the last command."""
        self.prompt = self.make_prompt()
        self._announce()
        self.foreground.clear()

    def make_prompt(self) -> str:
        """``pstack 2 running 5 waiting [3]>``: counts, and the status if it is not 0."""
        parts = [styled("pstack", "1")]
        try:
            counts = self.service().spool_info().counts
        except (ServiceError, OSError):
            self.disconnect()
            counts = {}
            parts.append(styled("no service", "31"))
        for state, style in (("running", "32"), ("waiting", ""), ("paused", "35")):
            if counts.get(state):
                parts.append(styled(f"{counts[state]:,} {state}", style))
        if self.status:
            parts.append(styled(f"[{self.status}]", "31"))
        return f"{' '.join(parts)}> "

    def _announce(self) -> None:
        """Put news above the prompt; while a command runs they wait for its end."""
        if self._news is None or self.current_command is not None:
            return
        message = announcement(self._news.take(self.foreground), colour=True)
        prompt = self.make_prompt()
        if message or prompt != self.prompt:
            self.add_alert(msg=Text.from_ansi(message) if message else None, prompt=prompt)

    def postloop(self) -> None:
        """Leave, and say what does not run on."""
        self.exit_code = self.status
        if self._service is None:
            return
        try:
            if self.interactive and not self._service.persistent:
                running = self._service.spool_info().counts.get("running", 0)
                if running:
                    Context(stderr=sys.stderr).note(
                        f"{running} running will start again with the next shell, 'pstack wait' "
                        "or daemon"
                    )
        except ServiceError:
            pass
        self.disconnect()


def open_shell(
    scripts: Iterable[Path] = (), lines: Iterable[str] = (), stop_on_error: bool = False
) -> int:
    """Run scripts and lines, or what is typed; returns the status of the last command."""
    given = [f"run_script {cmd2.string_utils.quote(str(script))}" for script in scripts]
    given += lines
    interactive = not given and sys.stdin.isatty() and sys.stdout.isatty()
    shell = Shell(interactive=interactive, stop_on_error=stop_on_error)
    try:
        if given:
            shell.runcmds_plus_hooks(given)
            shell.postloop()
            return shell.exit_code
        return shell.cmdloop()
    finally:
        shell.disconnect()  # also where the terminal has gone away


def history_file() -> Path:
    """Where typed lines are kept."""
    return _folder("XDG_STATE_HOME", ".local/state") / "history"


def startup_file() -> Path:
    """Commands that run before the first prompt."""
    return _folder("XDG_CONFIG_HOME", ".config") / "shellrc"


def _folder(variable: str, below_home: str) -> Path:
    value = os.environ.get(variable, "")
    base = Path(value) if os.path.isabs(value) else Path.home() / below_home
    return base / "pstack"


def _connect() -> Any:
    from pstack_core.runtime.connect import connect

    return connect()
