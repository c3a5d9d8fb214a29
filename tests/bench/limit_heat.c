/* The limit: what docs/examples/heat.py does, as a bare loop.
 *
 * Same plate, same data, same handlers (ready-to-send too runs after each, and
 * its result is stored), one thread; but no scheduling: in every phase all cells
 * step in the order of the file, which is always allowed because every cell then
 * has heard all of its neighbours.  With -DREADY=0 ready-to-send is left out: the
 * loop of a program that was written for this plate alone.
 *
 *     limit_heat PLATE VALUES
 *
 * PLATE is read, little endian:
 *     uint32 cells, edges, steps
 *     float  initial[cells], self_weight[cells]
 *     uint32 first[cells + 1]     edges of cell i are first[i] to first[i + 1]
 *     uint32 target[edges]
 *     float  weight[edges]
 * VALUES is written: float value[cells].
 * Standard output: "DELIVERIES SECONDS", of the loop alone.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifndef READY
#define READY 1
#endif

struct cell { /* 32 bytes: two to a cache line */
    float value, sum, next_sum, self_weight;
    uint32_t step, seen, next_seen;
    uint8_t degree, ready;
};

struct edge {
    uint32_t target;
    float weight;
};

static inline void ready_to_send(struct cell *cell, uint32_t steps)
{
    if (READY)
        cell->ready = cell->step <= steps && cell->seen == cell->degree;
}

static void *read_array(FILE *file, size_t count, size_t size)
{
    void *array = malloc(count * size + 1);
    if (!array || fread(array, size, count, file) != count) {
        fputs("limit_heat: the plate is truncated\n", stderr);
        exit(1);
    }
    return array;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

int main(int argc, char **argv)
{
    FILE *plate = argc == 3 ? fopen(argv[1], "rb") : NULL;
    if (!plate) {
        fputs("usage: limit_heat PLATE VALUES\n", stderr);
        return 2;
    }
    uint32_t *head = read_array(plate, 3, sizeof *head);
    const uint32_t cells = head[0], edges = head[1], steps = head[2];
    float *initial = read_array(plate, cells, sizeof *initial);
    float *self_weight = read_array(plate, cells, sizeof *self_weight);
    uint32_t *first = read_array(plate, cells + 1, sizeof *first);
    uint32_t *target = read_array(plate, edges, sizeof *target);
    float *weight = read_array(plate, edges, sizeof *weight);
    fclose(plate);

    struct cell *cell = aligned_alloc(64, ((size_t)cells * sizeof *cell + 63) / 64 * 64);
    struct edge *edge = malloc((size_t)edges * sizeof *edge + 1);
    if (!cell || !edge)
        return 1;
    for (uint32_t i = 0; i < cells; i++) {
        const uint8_t degree = (uint8_t)(first[i + 1] - first[i]);
        cell[i] = (struct cell){0, initial[i], 0, self_weight[i], 0, degree, 0, degree, 1};
    }
    for (uint32_t e = 0; e < edges; e++)
        edge[e] = (struct edge){target[e], weight[e]};

    const double start = now();
    for (uint32_t phase = 0; phase <= steps; phase++) {
        for (uint32_t i = 0; i < cells; i++) {
            struct cell *from = &cell[i];
            const float value = from->self_weight * from->value + from->sum;
            const uint32_t step = from->step + 1;
            from->value = value;
            from->step = step;
            from->sum = from->next_sum;
            from->seen = from->next_seen;
            from->next_sum = 0;
            from->next_seen = 0;
            ready_to_send(from, steps);
            for (uint32_t e = first[i]; e < first[i + 1]; e++) {
                struct cell *to = &cell[edge[e].target];
                const float heat = edge[e].weight * value;
                if (step == to->step) {
                    to->sum += heat;
                    to->seen++;
                } else {
                    to->next_sum += heat;
                    to->next_seen++;
                }
                ready_to_send(to, steps);
            }
        }
    }
    const double seconds = now() - start;
    printf("%llu %.9f\n", (unsigned long long)(steps + 1) * edges, seconds);

    FILE *values = fopen(argv[2], "wb");
    if (!values)
        return 1;
    for (uint32_t i = 0; i < cells; i++)
        fwrite(&cell[i].value, sizeof(float), 1, values);
    return fclose(values) ? 1 : 0;
}
