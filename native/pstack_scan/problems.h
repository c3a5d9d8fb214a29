/* A bounded list of what is wrong with the input. */
#ifndef PSTACK_PROBLEMS_H
#define PSTACK_PROBLEMS_H

#include "scan_api.h"

enum { PS_MAX_PROBLEMS = 100, PS_MAX_SENTENCE = 900 };

struct ps_problems {
    uint64_t total;
    uint32_t kept;
    ps_problem list[PS_MAX_PROBLEMS];
};

/* Count a problem and keep it while there is room; an error displaces the last warning
   of a full list.  `element` may be NULL. */
void problems_add(ps_problems *problems, int severity, uint64_t line, uint64_t column,
                  const char *element, const char *message);
void problems_clear(ps_problems *problems);

#endif
