/* pstack_kernel.h - the C ABI between a compiled application type, the host that runs it and
 * the process that watches it.  This header is the manual; cffi reads the part below the line
 * that says so.
 *
 * Three parties
 * -------------
 *   type   a shared object compiled from one graph type (handlers and kernel loop in one
 *          translation unit).  Exports pstack_type() only.
 *   host   the worker process: maps the two memory blocks, opens the type, calls run().
 *   watcher  the process that made the blocks; it reads counters and logs and may ask to stop.
 *
 * Two blocks of shared memory
 * ---------------------------
 *   image    the instance: device records, edge tables.  Written by the watcher before the run,
 *            changed by the handlers during it, read again at the end, even after a crash.
 *   control  struct pstack_control, then the log ring.  Counters are exact at every moment;
 *            `current` names the handler that runs, so that a worker that vanished (a signal,
 *            exit(), the memory killer) still tells who did it.
 *
 * Image
 * -----
 * Devices of a type are contiguous.  A *row* is a device's index within its type; its *slot* is
 * first_slot[type] + row, where first_slot is a multiple of 64.  Device records have a stride
 * fixed by the type: state at 0, then (for types that could overrun) a guard word, then
 * properties at a fixed offset.
 *
 * Every output pin has a table in CSR form: rows[count + 1] (uint32) and edge records of a fixed
 * stride: uint32 target, then edge properties and edge state of the input pin that it reaches.
 * target = route << shift | row of the destination; the routes of a pin are the input pins that
 * take its message type, numbered in the order of the type.  Edges of a device are sorted by
 * target, except on indexed pins (sorted by send index).  PSTACK_EDGE_SLACK bytes after each
 * table may be read.
 *
 * Log ring
 * --------
 * Records of 8-byte aligned length: uint32 length of the record, int32 level, uint32 slot,
 * uint32 length of the text, text.  length 0 means: continue at the start of the ring.  head and
 * tail count bytes since the start of the run.  The writer waits when the ring is full.
 */
#ifndef PSTACK_KERNEL_H
#define PSTACK_KERNEL_H

#include <stdarg.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cffi reads from here */

#define PSTACK_ABI 3
#define PSTACK_MAGIC 0x6b637470
#define PSTACK_NO_SLOT 0xffffffff
#define PSTACK_EDGE_SLACK 512
#define PSTACK_GUARD 0x5a17c0de

/* Why a run ended; 0 while it runs. */
#define PSTACK_RUNNING 0
#define PSTACK_EXIT 1
#define PSTACK_HALT 2
#define PSTACK_IDLE 3
#define PSTACK_STOPPED 4
#define PSTACK_LIMIT 5
#define PSTACK_ASSERT 6
#define PSTACK_CRASH 7

/* Phases of a worker. */
#define PSTACK_STARTING 0
#define PSTACK_LOADED 1
#define PSTACK_ENDED 2

typedef struct pstack_control {
    uint32_t magic;
    uint32_t abi;
    volatile uint32_t stop;     /* watcher: non-zero ends the run when the running handler returns */
    volatile uint32_t phase;
    volatile uint64_t current;  /* slot << 32 | handler number; what runs now */
    volatile uint64_t sent;
    volatile uint64_t delivered;
    volatile uint64_t cancelled;
    volatile uint64_t idle_rounds;
    uint64_t max_events;        /* sends + cancelled sends + deliveries + idle handlers; 0: none */
    volatile uint64_t other_events; /* idle handlers that ran */
    volatile double run_seconds;
    volatile int32_t reason;
    volatile int32_t exit_code;
    volatile uint64_t culprit;  /* `current` when the reason was set */
    volatile int32_t signal;
    volatile int32_t stack_overflow;
    volatile uint64_t fault_address;
    char detail[496];           /* a sentence; NUL terminated */
    uint64_t log_offset;        /* of the ring, from the start of this block */
    uint64_t log_size;          /* bytes, a multiple of 8 */
    volatile uint64_t log_head; /* bytes written */
    volatile uint64_t log_tail; /* bytes read */
    int32_t log_level;
    uint32_t seed;
} pstack_control;

typedef struct pstack_device_table {
    uint32_t count;
    uint32_t first_slot;
    uint64_t records;    /* offset in the image */
} pstack_device_table;

typedef struct pstack_pin_table {
    uint64_t rows;       /* offset of uint32[count + 1] */
    uint64_t edges;      /* offset of the edge records */
} pstack_pin_table;

typedef struct pstack_image {
    uint32_t magic;
    uint32_t abi;
    uint32_t type_count;
    uint32_t pin_count;      /* output pins of all types, in the order of the types */
    uint32_t slot_count;     /* a multiple of 64 */
    uint32_t reserved;
    uint64_t flags;          /* offset of scratch: two bytes a slot and one a 64 slots, zeroed */
    uint64_t graph_properties;
    uint64_t device_tables;  /* offset of pstack_device_table[type_count] */
    uint64_t pin_tables;     /* offset of pstack_pin_table[pin_count] */
    uint64_t size;
} pstack_image;

/* cffi reads to here */

/* What the host lends to the type. */
typedef struct pstack_host {
    /* Format one log line into the ring; notices the logged exit convention. */
    void (*log)(pstack_control *control, int level, const char *format, va_list arguments);
    /* Latch the end of the run; only the first call counts. */
    void (*end)(pstack_control *control, int reason, int exit_code, const char *detail);
} pstack_host;

typedef struct pstack_type_entry {
    uint32_t abi;
    uint32_t type_count;
    uint32_t pin_count;
    /* Runs until control->reason is set.  Returns 0. */
    int (*run)(pstack_image *image, pstack_control *control, const pstack_host *host);
} pstack_type_entry;

/* The one symbol that a compiled type exports. */
typedef const pstack_type_entry *(*pstack_type_function)(void);

#ifdef __cplusplus
}
#endif
#endif
