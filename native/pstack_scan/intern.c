#include "intern.h"

#include <stdlib.h>

#define K0 0x9e3779b97f4a7c15u
#define K1 0xd1b54a32d192ed03u

static uint64_t load(const char *p, size_t length)
{
    uint64_t word = 0;
    memcpy(&word, p, length);
    return word;
}

uint64_t hash_bytes(const char *data, size_t length, uint64_t seed)
{
    uint64_t hash = seed ^ hash_mix(length ^ K0, seed ^ K1);
    for (; length >= 8; data += 8, length -= 8)
        hash = hash_mix(load(data, 8) ^ hash, hash ^ K1);
    if (length)
        hash = hash_mix(load(data, length) ^ hash, hash ^ K1);
    return hash_mix(hash ^ K0, seed ^ K1);
}

static const uint64_t *offsets_of(const intern_table *table)
{
    return (const uint64_t *)(const void *)table->offsets.data;
}

bool intern_init(intern_table *table, uint64_t seed)
{
    uint64_t zero = 0;
    memset(table, 0, sizeof *table);
    table->seed = seed;
    table->mask = 15;
    table->slots = calloc(16, sizeof *table->slots);
    return table->slots && buffer_append(&table->offsets, &zero, sizeof zero);
}

void intern_free(intern_table *table)
{
    buffer_free(&table->arena);
    buffer_free(&table->offsets);
    free(table->slots);
    table->slots = NULL;
}

void intern_seal(intern_table *table)
{
    free(table->slots);
    table->slots = NULL;
    buffer_shrink(&table->arena);
    buffer_shrink(&table->offsets);
}

ps_text intern_name(const intern_table *table, uint32_t index)
{
    const uint64_t *offsets = offsets_of(table);
    return (ps_text){table->arena.data + offsets[index],
                     (size_t)(offsets[index + 1] - offsets[index])};
}

/* The slot that holds `name`, or the free one where it belongs. */
static size_t probe(const intern_table *table, ps_text name, uint64_t hash)
{
    uint64_t tag = hash & 0xffffffff00000000u;
    for (size_t slot = hash & table->mask;; slot = (slot + 1) & table->mask) {
        uint64_t entry = table->slots[slot];
        if (!entry)
            return slot;
        if ((entry & 0xffffffff00000000u) != tag)
            continue;
        ps_text other = intern_name(table, (uint32_t)entry - 1);
        if (text_is(name, other.data, other.length))
            return slot;
    }
}

uint32_t intern_find(const intern_table *table, ps_text name)
{
    uint64_t entry = table->slots[probe(table, name, hash_bytes(name.data, name.length, table->seed))];
    return entry ? (uint32_t)entry - 1 : INTERN_NONE;
}

static bool grow(intern_table *table)
{
    size_t mask = table->mask * 2 + 1;
    uint64_t *slots = calloc(mask + 1, sizeof *slots);
    if (!slots)
        return false;
    for (uint32_t i = 0; i < table->count; i++) {
        ps_text name = intern_name(table, i);
        uint64_t hash = hash_bytes(name.data, name.length, table->seed);
        size_t slot = hash & mask;
        while (slots[slot])
            slot = (slot + 1) & mask;
        slots[slot] = (hash & 0xffffffff00000000u) | (i + 1);
    }
    free(table->slots);
    table->slots = slots;
    table->mask = mask;
    return true;
}

bool intern_add(intern_table *table, ps_text name, uint32_t *index, bool *added)
{
    uint64_t hash = hash_bytes(name.data, name.length, table->seed);
    size_t slot = probe(table, name, hash);
    *added = !table->slots[slot];
    if (!*added) {
        *index = (uint32_t)table->slots[slot] - 1;
        return true;
    }
    if (table->count >= UINT32_MAX - 1 || !buffer_reserve(&table->arena, name.length + 1) ||
        !buffer_reserve(&table->offsets, sizeof(uint64_t)))
        return false;
    if ((uint64_t)table->count * 2 > table->mask) {
        if (!grow(table))
            return false;
        slot = probe(table, name, hash);
    }
    buffer_append(&table->arena, name.data, name.length);
    uint64_t end = table->arena.length;
    buffer_append(&table->offsets, &end, sizeof end);
    table->slots[slot] = (hash & 0xffffffff00000000u) | (table->count + 1);
    *index = table->count++;
    return true;
}
