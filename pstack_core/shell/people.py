"""Times, sizes and rates as people read them."""

from __future__ import annotations

import time

NOTHING = "-"

_SIZES = ("B", "K", "M", "G", "T", "P")
_COUNTS = ("", "k", "M", "G", "T", "P")


def duration(seconds: float | None) -> str:
    """``18us``, ``24ms``, ``3.4s``, ``59s``, ``2m05s``, ``1h02m``, ``3d04h``."""
    if seconds is None:
        return NOTHING
    for unit, size in (("us", 1e-6), ("ms", 1e-3)):
        if round(seconds / size) < 1000:
            return f"{round(seconds / size)}{unit}"
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, hours = whole // 60, whole // 3600
    if hours < 1:
        return f"{minutes}m{whole % 60:02}s"
    if hours < 24:
        return f"{hours}h{minutes % 60:02}m"
    return f"{hours // 24}d{hours % 24:02}h"


def size(count: int | None) -> str:
    """Bytes: ``512B``, ``1.5K``, ``64M`` (powers of 1024)."""
    return NOTHING if count is None else _scaled(count, 1024, _SIZES)


def amount(count: float | None) -> str:
    """A number with three digits or four: ``950``, ``12.3k``, ``5.65M``."""
    return NOTHING if count is None else _scaled(count, 1000, _COUNTS)


def rate(per_second: float | None) -> str:
    """``950/s``, ``5.65M/s``."""
    return NOTHING if per_second is None else f"{amount(per_second)}/s"


def moment(when: float | None, now: float) -> str:
    """``14:03:22`` today, ``Nov 21 14:03`` this year, otherwise ``2025-11-21``."""
    if when is None or not when:
        return NOTHING
    then, today = time.localtime(when), time.localtime(now)
    if then[:3] == today[:3]:
        return time.strftime("%H:%M:%S", then)
    return time.strftime("%b %d %H:%M" if then[0] == today[0] else "%Y-%m-%d", then)


def full_moment(when: float) -> str:
    """``2026-11-21 14:03:22.120``."""
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(when))}.{int(when % 1 * 1000):03}"


def many(number: int, noun: str, plural: str = "") -> str:
    """``1 process``, ``2 processes``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def _scaled(count: float, base: int, units: tuple[str, ...]) -> str:
    value, unit = float(count), 0
    while value >= base - 0.5 and unit < len(units) - 1:
        value /= base
        unit += 1
    if not unit:
        return f"{value:.0f}{units[0]}"
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f}{units[unit]}"
