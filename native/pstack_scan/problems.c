#include "problems.h"

#include <stdlib.h>
#include <string.h>

static void release(ps_problem *problem)
{
    free((char *)problem->element);
    free((char *)problem->message);
}

void problems_add(ps_problems *problems, int severity, uint64_t line, uint64_t column,
                  const char *element, const char *message)
{
    problems->total++;
    if (problems->kept == PS_MAX_PROBLEMS) {
        uint32_t victim = PS_MAX_PROBLEMS;
        while (victim && problems->list[victim - 1].severity == PS_ERROR)
            victim--;
        if (severity != PS_ERROR || !victim)
            return;
        release(&problems->list[victim - 1]);
        memmove(&problems->list[victim - 1], &problems->list[victim],
                (PS_MAX_PROBLEMS - victim) * sizeof *problems->list);
        problems->kept--;
    }
    ps_problem problem = {severity, line, column, strdup(element ? element : ""), strdup(message)};
    if (problem.element && problem.message)
        problems->list[problems->kept++] = problem;
    else
        release(&problem); /* memory is short: the count still tells */
}

void problems_clear(ps_problems *problems)
{
    for (uint32_t i = 0; i < problems->kept; i++)
        release(&problems->list[i]);
    problems->kept = 0;
    problems->total = 0;
}

ps_problems *ps_problems_new(void)
{
    return calloc(1, sizeof(ps_problems));
}

void ps_problems_free(ps_problems *problems)
{
    if (!problems)
        return;
    problems_clear(problems);
    free(problems);
}

uint64_t ps_problems_total(const ps_problems *problems)
{
    return problems->total;
}

uint32_t ps_problems_kept(const ps_problems *problems)
{
    return problems->kept;
}

const ps_problem *ps_problems_get(const ps_problems *problems, uint32_t index)
{
    return &problems->list[index];
}
