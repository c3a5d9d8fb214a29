"""Which engines there are: plugins found through the entry-point group ``pstack.engines``.

The engines that come with pstack are found in the same way as anyone else's.
A plugin that cannot be loaded is recorded, with the reason, and left out; it
never stops the others.  Three environment variables steer what is loaded; names
are those of entry points or of distributions, separated by commas:

``PSTACK_LOAD_PLUGINS``   load exactly these (empty: none)
``PSTACK_BLOCK_PLUGINS``  never load these
``PSTACK_TRACE_PLUGINS``  if set, print every hook call on standard error
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

import pluggy

from pstack_core.engines import hookspecs
from pstack_core.engines.engine import API, Engine, EngineError, EngineInfo
from pstack_core.engines.entry_points import EntryPoint, canonical, scan_all, scan_directories

GROUP = "pstack.engines"


class UnknownEngine(EngineError):
    """No plugin brings an engine of the name that was asked for."""


@dataclass
class Plugin:
    """What became of one entry point.

    ``errors`` and ``warnings`` are sentences; a plugin may have errors and still
    bring other engines.
    """

    name: str
    module: str
    distribution: str = ""
    version: str = ""
    hooks: list[str] = field(default_factory=list)
    engines: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    blocked: bool = False

    @property
    def status(self) -> str:
        """``loaded``, ``failed`` or ``blocked``."""
        if self.blocked:
            return "blocked"
        return "failed" if self.errors else "loaded"


class Registry:
    """Engines by name, loaded when first asked for."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        self.manager = pluggy.PluginManager("pstack")
        self.manager.add_hookspecs(hookspecs)
        self._only = _names(environment.get("PSTACK_LOAD_PLUGINS"))
        self._never = _names(environment.get("PSTACK_BLOCK_PLUGINS")) or []
        self._plugins: dict[tuple[str, str], Plugin] = {}
        self._engines: dict[str, tuple[Engine, Plugin]] = {}
        self._complete = False
        if environment.get("PSTACK_TRACE_PLUGINS"):
            self.manager.add_hookcall_monitoring(_before, _after)

    def engine(self, name: str) -> Engine:
        """The engine called ``name``.

        Only the plugin whose entry point has that name is imported; the others are
        when that one does not bring the engine.  Raises UnknownEngine.
        """
        if name not in self._engines and not self._complete:
            for point in _in_order(scan_directories(GROUP)):
                if point.name == name:
                    self._load(point)
        if name not in self._engines:
            self.load()
        if name not in self._engines:
            raise UnknownEngine(self._no_engine(name))
        return self._engines[name][0]

    def engines(self) -> dict[str, Engine]:
        """Every engine, by name."""
        self.load()
        return {name: engine for name, (engine, _) in sorted(self._engines.items())}

    def plugins(self) -> list[Plugin]:
        """Every entry point of the group, whether it could be loaded or not."""
        self.load()
        return sorted(self._plugins.values(), key=lambda plugin: plugin.name)

    def load(self) -> None:
        """Load every plugin that is not loaded yet; later calls do nothing."""
        if self._complete:
            return
        self._complete = True
        points = _in_order(scan_all(GROUP))
        for point in points:
            self._load(point)
        for name in self._only or []:
            if not any(point.is_called([name]) for point in points):
                error = f"PSTACK_LOAD_PLUGINS names {name!r}, and no such plugin is installed"
                self._plugins[name, ""] = Plugin(name, "", errors=[error])

    def _load(self, point: EntryPoint) -> None:
        key = (point.name, canonical(point.distribution))
        if key in self._plugins or (self._only is not None and not point.is_called(self._only)):
            return
        plugin = Plugin(point.name, point.value, point.distribution, point.version)
        self._plugins[key] = plugin
        if point.is_called(self._never):
            plugin.blocked = True
            return
        # A plugin may do anything when it is imported, sys.exit() included.
        try:
            loaded = point.load()
        except (Exception, SystemExit) as error:
            plugin.errors.append(f"it cannot be imported: {_describe(error)}")
            return
        if self.manager.is_registered(loaded):
            plugin.errors.append(f"{point.value} is a plugin already, under another name")
            return
        try:
            self._register(loaded, plugin)
        except (Exception, SystemExit) as error:
            plugin.errors.append(f"it cannot be registered: {_describe(error)}")
            if self.manager.is_registered(loaded):
                self.manager.unregister(loaded)

    def _register(self, loaded: object, plugin: Plugin) -> None:
        """Put one plugin under the plugin manager and collect its engines."""
        self.manager.register(loaded, name=f"{plugin.name} ({plugin.distribution})")
        self.manager.check_pending()
        callers = self.manager.get_hookcallers(loaded) or []
        plugin.hooks = sorted(caller.name for caller in callers)
        if not plugin.hooks:
            raise EngineError(
                "none of its functions is marked as a hook; "
                "put @pstack_core.engines.hookspecs.hookimpl before pstack_register_engines"
            )
        if "pstack_register_engines" in plugin.hooks:
            # Only this plugin: the others have been called before.
            others = [other for other in self.manager.get_plugins() if other is not loaded]
            hook = self.manager.subset_hook_caller("pstack_register_engines", others)
            hook(register=self._registrar(plugin))

    def _registrar(self, plugin: Plugin) -> Callable[[Engine], None]:
        def register(engine: Engine) -> None:
            refusal = _refusal(engine)
            if refusal:
                plugin.errors.append(refusal)
                return
            if engine.api > API:
                plugin.warnings.append(
                    f"its engine {engine.name!r} was written for version "
                    f"{_dotted(engine.api)} of the engine contract, newer than this pstack's "
                    f"{_dotted(API)}; what is new will not be used"
                )
            holder = self._engines.get(engine.name)
            if holder is not None:
                # The entry point that is named like the engine owns the name, so that
                # loading one plugin and loading all find the same engine.
                winner, loser = holder[1], plugin
                if plugin.name == engine.name != holder[1].name:
                    winner, loser = plugin, holder[1]
                    loser.engines.remove(engine.name)
                loser.errors.append(
                    f"its engine {engine.name!r} is left out: plugin {winner.name!r} of "
                    f"distribution {winner.distribution!r} brings one of that name"
                )
                if winner is not plugin:
                    return
            self._engines[engine.name] = (engine, plugin)
            plugin.engines.append(engine.name)

        return register

    def _no_engine(self, name: str) -> str:
        """The sentence for an engine that does not exist."""
        from difflib import get_close_matches

        for plugin in self.plugins():
            if plugin.name == name and plugin.blocked:
                return f"engine {name!r} is blocked by PSTACK_BLOCK_PLUGINS"
            if plugin.name == name and plugin.errors:
                return (
                    f"engine {name!r} is not available: its plugin (distribution "
                    f"{plugin.distribution!r}) failed: {plugin.errors[0]}"
                )
        near = get_close_matches(name, self._engines, n=3, cutoff=0.5)
        if near:
            return f"there is no engine {name!r}; did you mean {' or '.join(map(repr, near))}?"
        if self._engines:
            return f"there is no engine {name!r}; there are: {', '.join(sorted(self._engines))}"
        return (
            f"there is no engine {name!r}, nor any other; "
            "'pstack plugins' shows which plugins are installed and why one failed"
        )


@cache
def registry() -> Registry:
    """The registry of this Python process, steered by its environment variables."""
    return Registry()


def describe(engine: Engine) -> EngineInfo:
    """What an engine says of itself; a broken engine is described as not available."""
    try:
        return engine.info()
    except Exception as error:
        detail = f"its description failed: {_describe(error)}"
        return EngineInfo(engine.name, "unknown", "", 0, available=False, detail=detail)


def _refusal(engine: object) -> str:
    """Why something cannot be an engine here; empty if it can."""
    if not isinstance(engine, Engine):
        return f"it registered {engine!r}, which is not a pstack_core.engines.engine.Engine"
    name = getattr(engine, "name", None)
    if not isinstance(name, str) or not name:
        return f"it registered an engine without a name ({type(engine).__name__})"
    if engine.api[0] > API[0]:
        return (
            f"its engine {name!r} needs version {_dotted(engine.api)} of the engine contract and "
            f"this pstack has {_dotted(API)}: install a newer pstack"
        )
    return ""


def _in_order(points: list[EntryPoint]) -> list[EntryPoint]:
    """The same order everywhere, pstack's own first: the first to bring an engine keeps it."""
    return sorted(points, key=lambda point: (canonical(point.distribution) != "pstack", point.name))


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _names(value: str | None) -> list[str] | None:
    if value is None:
        return None
    return [name.strip() for name in value.split(",") if name.strip()]


def _describe(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, EngineError) else f"{type(error).__name__}: {text}"


def _before(hook_name: str, impls: object, arguments: Mapping[str, object]) -> None:
    sys.stderr.write(f"pstack: {hook_name} {dict(arguments)}\n")


def _after(outcome: object, hook_name: str, impls: object, arguments: object) -> None:
    result = getattr(outcome, "_result", None)
    sys.stderr.write(f"pstack: {hook_name} -> {result}\n")
