/* worker.c - the host side: the log ring, the latch, fatal signals, opening a compiled type. */
#define _GNU_SOURCE
#include "kernel.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

static pstack_control *noted; /* for the signal handler */

static void copy_detail(pstack_control *control, const char *text)
{
    size_t n = strlen(text);
    if (n >= sizeof control->detail) n = sizeof control->detail - 1;
    memcpy(control->detail, text, n);
    control->detail[n] = 0;
}

/* The first end counts: an application that has exited cannot fail any more. */
static void end_run(pstack_control *control, int reason, int exit_code, const char *detail)
{
    if (control->reason) return;
    control->exit_code = exit_code;
    control->culprit = control->current;
    copy_detail(control, detail);
    control->reason = reason;
}

/* Room for `need` contiguous bytes in the ring; waits for the watcher. */
static char *reserve(pstack_control *control, uint64_t need)
{
    char *ring = (char *)control + control->log_offset;
    const uint64_t size = control->log_size;
    for (;;) {
        uint64_t head = control->log_head;
        uint64_t tail = __atomic_load_n(&control->log_tail, __ATOMIC_ACQUIRE);
        uint64_t at = head % size, contiguous = size - at;
        uint64_t wanted = need <= contiguous ? need : contiguous + need;
        if (size - (head - tail) >= wanted) {
            if (need <= contiguous) return ring + at;
            *(uint32_t *)(ring + at) = 0;
            __atomic_store_n(&control->log_head, head + contiguous, __ATOMIC_RELEASE);
            return ring;
        }
        struct timespec pause = {0, 100000};
        nanosleep(&pause, NULL);
    }
}

static int exit_convention(const char *format)
{
    if (!strncmp(format, "_HANDLER_EXIT_SUCCESS_9be65737_", 31)) return 0;
    if (!strncmp(format, "_HANDLER_EXIT_FAIL_9be65737_", 28)) return 1;
    return -1;
}

enum { SHORT_LINE = 2000, LONGEST_LINE = 60000 };

static void log_line(pstack_control *control, int level, const char *format, va_list arguments)
{
    /* The convention compares the format itself, not the text. */
    const int code = level == 0 ? exit_convention(format) : -1;
    if (level <= control->log_level) {
        char line[SHORT_LINE], *text = line;
        va_list again;
        va_copy(again, arguments);
        int n = vsnprintf(line, sizeof line, format, arguments);
        if (n >= (int)sizeof line) {
            if (n > LONGEST_LINE) n = LONGEST_LINE;
            text = malloc(n + 1);
            if (text) vsnprintf(text, n + 1, format, again);
            else text = line, n = sizeof line - 1;
        }
        va_end(again);
        if (n < 0) {
            /* A bad format: the line must not vanish. */
            n = snprintf(line, sizeof line, "%s", format);
            if (n >= (int)sizeof line) n = sizeof line - 1;
        }
        uint64_t need = (16 + (uint64_t)n + 7) & ~(uint64_t)7;
        char *out = reserve(control, need);
        const uint32_t slot = control->current >> 32, length = n;
        *(uint32_t *)out = need;
        *(int32_t *)(out + 4) = level;
        *(uint32_t *)(out + 8) = slot;
        *(uint32_t *)(out + 12) = length;
        memcpy(out + 16, text, n);
        __atomic_store_n(&control->log_head, control->log_head + need, __ATOMIC_RELEASE);
        if (text != line) free(text);
    }
    if (code >= 0) end_run(control, PSTACK_EXIT, code, "");
}

static void on_fatal_signal(int number, siginfo_t *info, void *context)
{
    if (noted) {
        uintptr_t stack = 0, address = (uintptr_t)info->si_addr;
#if defined(__x86_64__)
        stack = ((ucontext_t *)context)->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
        stack = ((ucontext_t *)context)->uc_mcontext.sp;
#endif
        noted->signal = number;
        noted->fault_address = address;
        noted->culprit = noted->current;
        /* A frame of some size was pushed below the end of the stack. */
        noted->stack_overflow = number == SIGSEGV && stack && address + 65536 > stack &&
                                address < stack + 65536;
    }
    signal(number, SIG_DFL);
    raise(number);
}

void pstack_worker_prepare(pstack_control *control, int parent)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1); /* it died before we asked */
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    noted = control;
    const size_t size = 64 * 1024;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return;
    stack_t stack = {.ss_sp = memory, .ss_size = size};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_sigaction = on_fatal_signal,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    for (unsigned i = 0; i < sizeof fatal / sizeof *fatal; i++) sigaction(fatal[i], &action, NULL);
    /* The terminal's Ctrl-C is for the watcher, which then stops us. */
    signal(SIGINT, SIG_IGN);
}

static int refuse(pstack_control *control, const char *what, const char *why)
{
    char text[480];
    snprintf(text, sizeof text, "%s: %s", what, why ? why : "unknown error");
    copy_detail(control, text);
    return -1;
}

int pstack_worker_run(const char *path, pstack_image *image, pstack_control *control)
{
    static const pstack_host host = {log_line, end_run};
    if (control->magic != PSTACK_MAGIC || image->magic != PSTACK_MAGIC ||
        control->abi != PSTACK_ABI || image->abi != PSTACK_ABI)
        return refuse(control, "the instance", "made by another version of pstack");
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) return refuse(control, "the compiled type does not open", dlerror());
    pstack_type_function find = (pstack_type_function)dlsym(library, "pstack_type");
    if (!find) return refuse(control, "the compiled type has no entry", dlerror());
    const pstack_type_entry *type = find();
    if (type->abi != PSTACK_ABI || type->type_count != image->type_count ||
        type->pin_count != image->pin_count)
        return refuse(control, "the compiled type", "does not fit the instance");
    control->phase = PSTACK_LOADED;
#if defined(__SSE2__)
    /* Denormals cost a hundred times a normal number and hardware flushes them. */
    _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    type->run(image, control, &host);
    clock_gettime(CLOCK_MONOTONIC, &end);
    control->run_seconds = (end.tv_sec - begin.tv_sec) + 1e-9 * (end.tv_nsec - begin.tv_nsec);
    control->phase = PSTACK_ENDED;
    return 0;
}

void pstack_worker_exit(int status)
{
    fflush(NULL);
    _exit(status);
}
