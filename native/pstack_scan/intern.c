#include "intern.h"

#include <stdlib.h>

#define K0 0x9e3779b97f4a7c15u
#define K1 0xd1b54a32d192ed03u

enum { SHORT_NAME = 12 };
#define LONG_TAIL 0xff000000u

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

intern_key intern_hash(const intern_table *table, ps_text name)
{
    intern_key key = {hash_bytes(name.data, name.length, table->seed), {0, 0, 0}};
    if (name.length > SHORT_NAME) {
        key.slot.head = key.hash;
        key.slot.tail = LONG_TAIL | ((uint32_t)name.length & 0xffffff);
    } else if (name.length > 8) {
        key.slot.head = load(name.data, 8);
        key.slot.tail = (uint32_t)load(name.data + 8, name.length - 8);
    } else {
        key.slot.head = load(name.data, name.length);
    }
    return key;
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
static size_t probe(const intern_table *table, ps_text name, const intern_key *key)
{
    for (size_t i = key->hash & table->mask;; i = (i + 1) & table->mask) {
        const intern_slot *slot = &table->slots[i];
        if (!slot->entry)
            return i;
        if (slot->head != key->slot.head || slot->tail != key->slot.tail)
            continue;
        if (name.length <= SHORT_NAME)
            return i;
        ps_text other = intern_name(table, slot->entry - 1);
        if (text_is(name, other.data, other.length))
            return i;
    }
}

uint32_t intern_find_key(const intern_table *table, ps_text name, const intern_key *key)
{
    return table->slots[probe(table, name, key)].entry - 1;
}

uint32_t intern_find(const intern_table *table, ps_text name)
{
    intern_key key = intern_hash(table, name);
    return intern_find_key(table, name, &key);
}

static bool grow(intern_table *table)
{
    size_t mask = table->mask * 2 + 1;
    intern_slot *slots = calloc(mask + 1, sizeof *slots);
    if (!slots)
        return false;
    for (uint32_t i = 0; i < table->count; i++) {
        intern_key key = intern_hash(table, intern_name(table, i));
        size_t at = key.hash & mask;
        while (slots[at].entry)
            at = (at + 1) & mask;
        slots[at] = key.slot;
        slots[at].entry = i + 1;
    }
    free(table->slots);
    table->slots = slots;
    table->mask = mask;
    return true;
}

bool intern_add(intern_table *table, ps_text name, uint32_t *index, bool *added)
{
    intern_key key = intern_hash(table, name);
    size_t at = probe(table, name, &key);
    *added = !table->slots[at].entry;
    if (!*added) {
        *index = table->slots[at].entry - 1;
        return true;
    }
    if (table->count >= UINT32_MAX - 1 || !buffer_reserve(&table->arena, name.length + 1) ||
        !buffer_reserve(&table->offsets, sizeof(uint64_t)))
        return false;
    if ((uint64_t)table->count * 3 > table->mask * 2) {
        if (!grow(table))
            return false;
        at = probe(table, name, &key);
    }
    buffer_append(&table->arena, name.data, name.length);
    uint64_t end = table->arena.length;
    buffer_append(&table->offsets, &end, sizeof end);
    table->slots[at] = key.slot;
    table->slots[at].entry = table->count + 1;
    *index = table->count++;
    return true;
}
