"""Tells plugins of changes of state, without letting them slow down or stop anything."""

from __future__ import annotations

import logging
import queue
import threading
from typing import TYPE_CHECKING

from pstack_core.runtime.hub import Changed, Hub, News

if TYPE_CHECKING:
    import pluggy

_log = logging.getLogger(__name__)

#: Changes that may wait for slow plugins; more are dropped.
MOST_WAITING = 10_000
_HOOK = "pstack_process_changed"


class Notifier:
    """Calls every plugin's ``pstack_process_changed``; idle where no plugin has one."""

    def __init__(self, hub: Hub, manager: pluggy.PluginManager) -> None:
        implementations = getattr(manager.hook, _HOOK).get_hookimpls()
        plugins = [one.plugin for one in implementations]
        # A caller for each: one that fails does not keep the others from being called.
        self._callers = [
            (
                one.plugin_name,
                manager.subset_hook_caller(_HOOK, [p for p in plugins if p is not one.plugin]),
            )
            for one in implementations
        ]
        self._changes: queue.Queue[Changed | None] = queue.Queue(MOST_WAITING)
        self._dropped = 0
        self._unsubscribe = None
        if self._callers:
            self._unsubscribe = hub.subscribe(self._hear)
            threading.Thread(target=self._call_all, name="pstack-hooks", daemon=True).start()

    def close(self) -> None:
        """Tell no more."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            try:
                self._changes.put_nowait(None)
            except queue.Full:
                self._changes.get_nowait()
                self._changes.put_nowait(None)

    def _hear(self, news: News) -> None:
        if isinstance(news, Changed):
            try:
                self._changes.put_nowait(news)
            except queue.Full:
                self._dropped += 1
                if self._dropped % 1000 == 1:
                    _log.warning("plugins are slow: %d changes were not told", self._dropped)

    def _call_all(self) -> None:
        while (changed := self._changes.get()) is not None:
            for name, caller in self._callers:
                try:
                    caller(process=changed.process)
                except (Exception, SystemExit) as error:
                    _log.error("plugin %s: %s: %s: %s", name, _HOOK, type(error).__name__, error)
