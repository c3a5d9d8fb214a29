// pstack_runtime.hpp - what handlers can name, and the little that the kernel loop needs.
// Included by the generated translation unit; light on headers, because it is compiled with
// every application.
#pragma once

#include "pstack_kernel.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <assert.h>  // ours: it ends the run with a sentence instead of aborting

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#if __has_include(<bits/stl_algobase.h>)
#include <bits/stl_algobase.h>  // min, max, swap, copy, fill: a fraction of <algorithm>
#else
#include <algorithm>
#endif

#define PSTACK_INLINE inline __attribute__((always_inline))
#define PSTACK_COLD __attribute__((noinline, cold))

namespace pstack {

/// Thrown to leave a handler whose assertion failed; the run has ended by then.
struct stop_run {};

static pstack_control *control;
static const pstack_host *host;

PSTACK_COLD static void end(int reason, int code, const char *detail)
{
    host->end(control, reason, code, detail);
}

[[noreturn]] PSTACK_COLD void assertion_failed(const char *expression, const char *file, int line)
{
    char text[400];
    snprintf(text, sizeof text, "%s:%d: assertion failed: %s", file, line, expression);
    end(PSTACK_ASSERT, 1, text);
    throw stop_run{};
}

PSTACK_COLD static void log_line(int level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    host->log(control, level, format, arguments);
    va_end(arguments);
}

/// A callable object rather than a function, so that it can be passed to templates, and a
/// template rather than a C variadic, so that a call above the level disappears.  Level 0 always
/// passes: the logged exit convention lives there.
struct handler_log_t {
    template <class... Arguments>
    PSTACK_INLINE void operator()(int level, const char *format, Arguments... arguments) const
    {
        if (level > PSTACK_LOG_LEVEL && level != 0) return;
        log_line(level, format, arguments...);
    }
};

/// Calls that other tools record and that change nothing here.
struct ignored_call_t {
    template <class... Arguments>
    PSTACK_INLINE void operator()(Arguments...) const {}
};

PSTACK_COLD static void exit_run(int code)
{
    end(PSTACK_EXIT, code, "");
}

PSTACK_COLD static void bad_send_index(unsigned index, unsigned count)
{
    char text[160];
    snprintf(text, sizeof text, "sendIndex is %u, but the pin has %u edge%s on this device", index,
             count, count == 1 ? "" : "s");
    end(PSTACK_ASSERT, 1, text);
}

PSTACK_COLD static void overrun()
{
    end(PSTACK_CRASH, 134, "the handler wrote past the end of its device's state");
}

}  // namespace pstack

static constexpr pstack::handler_log_t handler_log{};
static constexpr pstack::ignored_call_t handler_checkpoint{};
static constexpr pstack::ignored_call_t handler_export_key_value{};
[[maybe_unused]] static void handler_exit(int code) { pstack::exit_run(code); }
