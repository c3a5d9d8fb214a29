/* Finding edges that are given twice. */
#include "chars.h"
#include "instance.h"

#include <stdio.h>
#include <stdlib.h>

#define HIGH_HALF 0xffffffff00000000u

static uint64_t hash_ends(const ps_instance *instance, const ps_endpoints *ends)
{
    uint64_t pins = (uint64_t)ends->dst_pin << 16 | ends->src_pin;
    uint64_t devices = (uint64_t)ends->dst << 32 | ends->src;
    uint64_t hash = hash_mix(devices ^ instance->seed, instance->seed ^ 0x9e3779b97f4a7c15u);
    return hash_mix(hash ^ pins, instance->seed ^ 0xd1b54a32d192ed03u);
}

static ps_endpoints ends_of(const ps_instance *instance, uint32_t edge)
{
    return (ps_endpoints){column_u32(&instance->edge_dst, edge), column_u32(&instance->edge_src, edge),
                          column_u16(&instance->edge_dst_pin, edge),
                          column_u16(&instance->edge_src_pin, edge)};
}

static bool grow(ps_instance *instance, uint32_t indexed)
{
    size_t mask = instance->edge_mask * 2 + 1;
    uint64_t *slots = calloc(mask + 1, sizeof *slots);
    if (!slots)
        return false;
    for (uint32_t begin = 0; begin < indexed; begin += PS_EDGE_BATCH) {
        uint64_t hashes[PS_EDGE_BATCH];
        uint32_t count = indexed - begin < PS_EDGE_BATCH ? indexed - begin : PS_EDGE_BATCH;
        for (uint32_t i = 0; i < count; i++) {
            ps_endpoints ends = ends_of(instance, begin + i);
            hashes[i] = hash_ends(instance, &ends);
            __builtin_prefetch(&slots[hashes[i] & mask], 1);
        }
        for (uint32_t i = 0; i < count; i++) {
            size_t slot = hashes[i] & mask;
            while (slots[slot])
                slot = (slot + 1) & mask;
            slots[slot] = (hashes[i] & HIGH_HALF) | (begin + i + 1);
        }
    }
    free(instance->edge_slots);
    instance->edge_slots = slots;
    instance->edge_mask = mask;
    return true;
}

static void report_duplicate(ps_instance *instance, uint32_t edge, uint32_t first,
                             const ps_endpoints *ends, uint32_t column)
{
    char element[128], sentence[80];
    const ps_type *dst = &instance->types[column_u16(&instance->device_type, ends->dst)];
    const ps_type *src = &instance->types[column_u16(&instance->device_type, ends->src)];
    ps_text parts[4] = {intern_name(&instance->ids, ends->dst),
                        intern_name(&dst->inputs.names, ends->dst_pin),
                        intern_name(&instance->ids, ends->src),
                        intern_name(&src->outputs.names, ends->src_pin)};
    int lengths[4];
    for (int i = 0; i < 4; i++)
        lengths[i] = (int)utf8_whole(parts[i].data, parts[i].length < 28 ? parts[i].length : 28);
    snprintf(element, sizeof element, "EdgeI '%.*s:%.*s-%.*s:%.*s'", lengths[0], parts[0].data,
             lengths[1], parts[1].data, lengths[2], parts[2].data, lengths[3], parts[3].data);
    snprintf(sentence, sizeof sentence, "the same edge is given twice: first at line %u",
             column_u32(&instance->edge_line, first));
    problems_add(&instance->problems, PS_ERROR, column_u32(&instance->edge_line, edge), column,
                 element, sentence);
}

bool edge_index_add(ps_instance *instance, uint32_t begin, const uint32_t *columns)
{
    uint64_t hashes[PS_EDGE_BATCH];
    uint32_t count = instance->edges - begin;
    if (!count)
        return true;
    while ((uint64_t)instance->edges * 2 > instance->edge_mask)
        if (!grow(instance, begin))
            return false;
    for (uint32_t i = 0; i < count; i++) {
        ps_endpoints ends = ends_of(instance, begin + i);
        hashes[i] = hash_ends(instance, &ends);
        __builtin_prefetch(&instance->edge_slots[hashes[i] & instance->edge_mask]);
    }
    for (uint32_t i = 0; i < count; i++) {
        ps_endpoints ends = ends_of(instance, begin + i);
        size_t slot = hashes[i] & instance->edge_mask;
        uint64_t entry;
        for (; (entry = instance->edge_slots[slot]); slot = (slot + 1) & instance->edge_mask) {
            if ((entry ^ hashes[i]) & HIGH_HALF)
                continue;
            ps_endpoints other = ends_of(instance, (uint32_t)entry - 1);
            if (other.dst == ends.dst && other.src == ends.src && other.dst_pin == ends.dst_pin &&
                other.src_pin == ends.src_pin)
                break;
        }
        if (entry)
            report_duplicate(instance, begin + i, (uint32_t)entry - 1, &ends,
                             columns[i]);
        else
            instance->edge_slots[slot] = (hashes[i] & HIGH_HALF) | (begin + i + 1);
    }
    return true;
}
