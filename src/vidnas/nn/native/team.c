/* How Python calls a kernel on many items: with all its arguments in one array, and divided among threads. */
#include "vectors.h"

/* do_NAME(arguments, first, last) is NAME(arguments[0], arguments[1], ..., first, last): calls.py writes them. */
typedef int (*Kernel)(const intptr_t *arguments, int first, int last);

/* `items` items of a kernel, in as many parts of their order as there are threads. What a thread is to use alone
 * differs by `strides` from one thread's argument to the next one's. */
typedef struct {
    Kernel kernel;
    const intptr_t *arguments, *strides;
    int count, items, threads;
} Work;

/* One thread's part. */
int do_part(const Work *work, int thread)
{
    intptr_t own[work->count];
    for (int n = 0; n < work->count; n++) own[n] = work->arguments[n] + thread * work->strides[n];
    long items = work->items;
    return work->kernel(own, items * thread / work->threads, items * (thread + 1) / work->threads);
}

/* An OpenMP runtime: GOMP_parallel, omp_get_thread_num and omp_get_num_threads. */
typedef void (*Parallel)(void (*member)(void *), void *data, unsigned threads, unsigned flags);
typedef int (*Number)(void);

typedef struct {
    const Work *work;
    Number thread_num, num_threads;
    int failed;
} Team;

static void be_member(void *data)
{
    Team *team = data;
    /* a limit of the system's may have made the team smaller than asked for */
    for (int thread = team->thread_num(); thread < team->work->threads; thread += team->num_threads())
        if (do_part(team->work, thread)) __atomic_store_n(&team->failed, 1, __ATOMIC_RELAXED);
}

/* All parts at once. */
int do_all(const Work *work, Parallel parallel, Number thread_num, Number num_threads)
{
    Team team = {work, thread_num, num_threads, 0};
    parallel(be_member, &team, work->threads, 0);
    return team.failed;
}
