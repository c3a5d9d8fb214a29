/* Names to indices: an open-addressing hash table over an arena of names.

   A look-up in a large table waits for memory and little else, so a slot holds a short
   name whole: one cache line answers, and callers with several names prefetch.  The
   hash is seeded, so that no document can be made to collide.  Names hold no NUL. */
#ifndef PSTACK_INTERN_H
#define PSTACK_INTERN_H

#include "xml.h"

#define INTERN_NONE UINT32_MAX

/* A name of up to 12 bytes, zero padded; of a longer one its hash, some of its
   length, and 0xff, which is no byte of UTF-8. */
typedef struct {
    uint32_t entry; /* index + 1; 0 in a free slot */
    uint32_t tail;
    uint64_t head;
} intern_slot;

typedef struct {
    uint64_t hash;
    intern_slot slot; /* as it would stand in the table */
} intern_key;

typedef struct {
    ps_buffer arena;   /* the names end to end */
    ps_buffer offsets; /* uint64[count + 1] */
    intern_slot *slots;
    size_t mask;
    uint32_t count;
    uint64_t seed;
} intern_table;

bool intern_init(intern_table *table, uint64_t seed);
void intern_free(intern_table *table);
/* Drop the hash table but keep the names. */
void intern_seal(intern_table *table);
ps_text intern_name(const intern_table *table, uint32_t index);

intern_key intern_hash(const intern_table *table, ps_text name);
static inline void intern_prefetch(const intern_table *table, const intern_key *key)
{
    __builtin_prefetch(&table->slots[key->hash & table->mask]);
}
uint32_t intern_find_key(const intern_table *table, ps_text name, const intern_key *key);
uint32_t intern_find(const intern_table *table, ps_text name);

/* Add a name; `*index` is its index, or that of the equal name which was there, with
   `*added` false.  Fails when memory is out or 2^32 - 2 names are in. */
bool intern_add(intern_table *table, ps_text name, uint32_t *index, bool *added);

uint64_t hash_bytes(const char *data, size_t length, uint64_t seed);

/* Two words mixed to one; a building block of the hash. */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#endif
