/* edges.c - from edge columns in file order to the CSR tables of the image. */
#include "kernel.h"

#include <stdlib.h>
#include <string.h>

void pstack_count_edges(uint64_t edge_count, const uint32_t *src, const uint16_t *src_pin,
                        const uint16_t *device_type, const uint32_t *device_row,
                        const int32_t *first_pin, uint32_t pin_count, uint32_t **rows,
                        const uint32_t *row_counts)
{
    for (uint64_t e = 0; e < edge_count; e++) {
        const int32_t first = first_pin[device_type[src[e]]];
        if (first >= 0) rows[first + src_pin[e]][device_row[src[e]] + 1]++;
    }
    for (uint32_t pin = 0; pin < pin_count; pin++)
        for (uint32_t row = 0; row < row_counts[pin]; row++) rows[pin][row + 1] += rows[pin][row];
}

/* Sort parallel arrays by key; rows are short, so insertion, and heap sort for the long ones. */
static void sift(uint32_t *order, uint32_t *keys, uint32_t from, uint32_t count)
{
    for (;;) {
        uint32_t child = 2 * from + 1;
        if (child >= count) return;
        if (child + 1 < count && keys[child + 1] > keys[child]) child++;
        if (keys[from] >= keys[child]) return;
        uint32_t k = keys[from], o = order[from];
        keys[from] = keys[child], order[from] = order[child];
        keys[child] = k, order[child] = o;
        from = child;
    }
}

static void sort_row(uint32_t *order, uint32_t *keys, uint32_t count)
{
    if (count <= 32) {
        for (uint32_t i = 1; i < count; i++) {
            uint32_t k = keys[i], o = order[i], j = i;
            for (; j > 0 && keys[j - 1] > k; j--) keys[j] = keys[j - 1], order[j] = order[j - 1];
            keys[j] = k, order[j] = o;
        }
        return;
    }
    for (uint32_t i = count / 2; i-- > 0;) sift(order, keys, i, count);
    for (uint32_t last = count - 1; last > 0; last--) {
        uint32_t k = keys[0], o = order[0];
        keys[0] = keys[last], order[0] = order[last];
        keys[last] = k, order[last] = o;
        sift(order, keys, 0, last);
    }
}

int64_t pstack_order_edges(uint64_t edge_count, const uint32_t *src, const uint16_t *src_pin,
                           const uint32_t *dst, const uint16_t *dst_pin,
                           const int32_t *send_index, const uint16_t *device_type,
                           const uint32_t *device_row, const int32_t *first_pin,
                           uint32_t pin_count, uint32_t **rows, uint32_t **cursor,
                           const uint32_t *row_counts, const uint64_t *order_base,
                           const uint8_t *indexed, const uint8_t *shift, const int16_t *route,
                           const uint32_t *target_base, uint32_t target_count, uint32_t *order,
                           uint32_t *targets)
{
    for (uint64_t e = 0; e < edge_count; e++) {
        const uint32_t from = src[e], to = dst[e];
        const int32_t first = first_pin[device_type[from]];
        if (first < 0) continue;
        const uint32_t pin = first + src_pin[e];
        const uint32_t column = target_base[device_type[to]] + dst_pin[e];
        const int16_t r = route[(uint64_t)pin * target_count + column];
        if (r < 0) return (int64_t)e;
        const uint64_t at = order_base[pin] + cursor[pin][device_row[from]]++;
        order[at] = (uint32_t)e;
        targets[at] = device_row[to] | (shift[pin] < 32 ? (uint32_t)r << shift[pin] : 0);
    }
    for (uint32_t pin = 0; pin < pin_count; pin++) {
        uint32_t *const o = order + order_base[pin], *const t = targets + order_base[pin];
        for (uint32_t row = 0; row < row_counts[pin]; row++) {
            const uint32_t begin = rows[pin][row], count = rows[pin][row + 1] - begin;
            if (count < 2) continue;
            if (!indexed[pin]) {
                sort_row(o + begin, t + begin, count);
                continue;
            }
            /* Given indices are contiguous (checked on loading); otherwise file order holds. */
            if (send_index[o[begin]] < 0) continue;
            uint32_t *scratch = malloc(2 * sizeof(uint32_t) * (uint64_t)count);
            if (!scratch) return -2;
            memcpy(scratch, o + begin, sizeof(uint32_t) * count);
            memcpy(scratch + count, t + begin, sizeof(uint32_t) * count);
            for (uint32_t i = 0; i < count; i++) {
                const uint32_t place = (uint32_t)send_index[scratch[i]];
                if (place < count) {
                    o[begin + place] = scratch[i];
                    t[begin + place] = scratch[count + i];
                }
            }
            free(scratch);
        }
    }
    return -1;
}

void pstack_write_edges(uint64_t count, const uint32_t *order, const uint32_t *targets,
                        const uint32_t *dst, const uint16_t *dst_pin,
                        const uint16_t *device_type, const uint32_t *target_base,
                        const uint32_t *edge_row, const uint8_t *const *properties,
                        const uint32_t *properties_size, const uint8_t *const *state,
                        const uint32_t *state_size, uint32_t stride, uint8_t *out)
{
    for (uint64_t i = 0; i < count; i++, out += stride) {
        memcpy(out, &targets[i], 4);
        if (stride == 4) continue;
        const uint32_t e = order[i];
        const uint32_t column = target_base[device_type[dst[e]]] + dst_pin[e];
        const uint32_t p = properties_size[column], s = state_size[column];
        if (p) memcpy(out + 4, properties[column] + (uint64_t)edge_row[e] * p, p);
        if (s) memcpy(out + 4 + p, state[column] + (uint64_t)edge_row[e] * s, s);
    }
}

void pstack_read_edge_state(uint64_t count, const uint32_t *order, const uint32_t *dst,
                            const uint16_t *dst_pin, const uint16_t *device_type,
                            const uint32_t *target_base, const uint32_t *edge_row,
                            const uint32_t *properties_size, uint8_t *const *state,
                            const uint32_t *state_size, uint32_t stride, const uint8_t *in)
{
    for (uint64_t i = 0; i < count; i++, in += stride) {
        const uint32_t e = order[i];
        const uint32_t column = target_base[device_type[dst[e]]] + dst_pin[e];
        const uint32_t s = state_size[column];
        if (s) memcpy(state[column] + (uint64_t)edge_row[e] * s, in + 4 + properties_size[column], s);
    }
}

int pstack_locality_order(uint32_t count, uint64_t edge_count, const uint32_t *a,
                          const uint32_t *b, uint32_t *rank)
{
    const uint32_t unseen = 0xffffffff;
    uint64_t *begin = calloc((uint64_t)count + 2, sizeof *begin);
    uint32_t *neighbour = malloc(2 * edge_count * sizeof *neighbour + 4);
    uint32_t *queue = malloc((uint64_t)count * sizeof *queue + 4);
    int status = -1;
    if (begin && neighbour && queue) {
        for (uint64_t e = 0; e < edge_count; e++) begin[a[e] + 2]++, begin[b[e] + 2]++;
        for (uint32_t v = 0; v < count; v++) begin[v + 2] += begin[v + 1];
        for (uint64_t e = 0; e < edge_count; e++) {
            neighbour[begin[a[e] + 1]++] = b[e];
            neighbour[begin[b[e] + 1]++] = a[e];
        }
        for (uint32_t v = 0; v < count; v++) rank[v] = unseen;
        uint32_t head = 0, tail = 0;
        for (uint32_t root = 0; root < count; root++) {
            if (rank[root] != unseen) continue;
            rank[root] = tail;
            queue[tail++] = root;
            while (head < tail) {
                const uint32_t v = queue[head++];
                for (uint64_t i = begin[v]; i < begin[v + 1]; i++) {
                    const uint32_t w = neighbour[i];
                    if (rank[w] != unseen) continue;
                    rank[w] = tail;
                    queue[tail++] = w;
                }
            }
        }
        status = 0;
    }
    free(begin), free(neighbour), free(queue);
    return status;
}
