/* How Python calls a kernel on many items: with all its arguments in one array, and divided among threads. */
#include "vectors.h"

/* do_NAME(arguments, first, last) is NAME(arguments[0], arguments[1], ..., first, last): calls.py writes them. */
typedef int (*Kernel)(const intptr_t *arguments, int first, int last);

/* One thread's part of the items of a kernel, of as many parts in their order as there are threads. Behind the `count`
 * arguments stands by how much each differs from one thread to the next, which is for what a thread uses alone. */
int do_part(Kernel kernel, const intptr_t *arguments, int count, int items, int threads, int thread)
{
    intptr_t own[count];
    for (int n = 0; n < count; n++) own[n] = arguments[n] + thread * arguments[count + n];
    return kernel(own, (long)items * thread / threads, (long)items * (thread + 1) / threads);
}

/* An OpenMP runtime: GOMP_parallel, omp_get_thread_num and omp_get_num_threads. */
typedef void (*Parallel)(void (*member)(void *), void *data, unsigned threads, unsigned flags);
typedef int (*Number)(void);

typedef struct {
    Kernel kernel;
    const intptr_t *arguments;
    int count, items, threads;
    Number thread_num, num_threads;
    int failed;
} Team;

static void be_member(void *data)
{
    Team *t = data;
    /* a limit of the system's may have made the team smaller than asked for */
    for (int thread = t->thread_num(); thread < t->threads; thread += t->num_threads())
        if (do_part(t->kernel, t->arguments, t->count, t->items, t->threads, thread))
            __atomic_store_n(&t->failed, 1, __ATOMIC_RELAXED);
}

/* All parts at once. */
int do_all(Kernel kernel, const intptr_t *arguments, int count, int items, int threads, Parallel parallel,
           Number thread_num, Number num_threads)
{
    Team team = {kernel, arguments, count, items, threads, thread_num, num_threads, 0};
    parallel(be_member, &team, threads, 0);
    return team.failed;
}
