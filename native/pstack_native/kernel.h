/* kernel.h - what the host and the watcher call; cffi reads this after pstack_kernel.h. */
#ifndef PSTACK_HOST_H
#define PSTACK_HOST_H
#include "pstack_kernel.h"

/* cffi reads from here */

/* Count edges per (output pin, row) into rows[pin][row + 1], then sum up, so that rows[pin] is
 * CSR.  `device_type` and `device_row` are per device; `first_pin` is the number of the first
 * output pin of each type, -1 for types that have no tables.  rows[pin] has count + 1 zeroed
 * entries. */
void pstack_count_edges(uint64_t edge_count, const uint32_t *src, const uint16_t *src_pin,
                        const uint16_t *device_type, const uint32_t *device_row,
                        const int32_t *first_pin, uint32_t pin_count, uint32_t **rows,
                        const uint32_t *row_counts);

/* Place the edges of one graph.  `order` receives edge indices in CSR order, pin after pin from
 * `order_base[pin]`; `cursor[pin]` is scratch like rows[pin].  `route` is, per (pin, dst type,
 * dst pin) flattened with `target_base[type] + dst_pin` and `target_count` columns, the route or
 * -1.  Edges of a row are sorted by target, or by send index where `indexed[pin]`.  Returns the
 * index of an edge that no route takes, or -1. */
int64_t pstack_order_edges(uint64_t edge_count, const uint32_t *src, const uint16_t *src_pin,
                           const uint32_t *dst, const uint16_t *dst_pin,
                           const int32_t *send_index, const uint16_t *device_type,
                           const uint32_t *device_row, const int32_t *first_pin,
                           uint32_t pin_count, uint32_t **rows, uint32_t **cursor,
                           const uint32_t *row_counts, const uint64_t *order_base,
                           const uint8_t *indexed, const uint8_t *shift, const int16_t *route,
                           const uint32_t *target_base, uint32_t target_count, uint32_t *order,
                           uint32_t *targets);

/* Write the records of one pin's table: target, then properties and state rows gathered from
 * the tables of the input pins.  properties/state[column] may be NULL (size 0). */
void pstack_write_edges(uint64_t count, const uint32_t *order, const uint32_t *targets,
                        const uint32_t *dst, const uint16_t *dst_pin,
                        const uint16_t *device_type, const uint32_t *target_base,
                        const uint32_t *edge_row, const uint8_t *const *properties,
                        const uint32_t *properties_size, const uint8_t *const *state,
                        const uint32_t *state_size, uint32_t stride, uint8_t *out);

/* Copy edge states back out of the image: the reverse of pstack_write_edges. */
void pstack_read_edge_state(uint64_t count, const uint32_t *order, const uint32_t *dst,
                            const uint16_t *dst_pin, const uint16_t *device_type,
                            const uint32_t *target_base, const uint32_t *edge_row,
                            const uint32_t *properties_size, uint8_t *const *state,
                            const uint32_t *state_size, uint32_t stride, const uint8_t *in);

/* Breadth-first order of `count` vertices over the undirected graph of the given edges, lowest
 * vertex first among the unvisited: rank[vertex] is its place.  Returns 0, or -1 without memory. */
int pstack_locality_order(uint32_t count, uint64_t edge_count, const uint32_t *a,
                          const uint32_t *b, uint32_t *rank);

/* Prepare this process to be a worker: die with the parent, no core dumps, a handler on a stack
 * of its own that notes fatal signals in `control`. */
void pstack_worker_prepare(pstack_control *control, int parent);

/* Open a compiled type and run it to its end.  Returns 0, or -1 with a sentence in
 * control->detail. */
int pstack_worker_run(const char *path, pstack_image *image, pstack_control *control);

/* Write all streams of this process and leave at once. */
void pstack_worker_exit(int status);

/* cffi reads to here */
#endif
