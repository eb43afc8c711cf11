/* How Python calls a kernel on many items: with all its arguments in one array, and divided among threads. */
#include "vectors.h"

/* do_NAME(arguments, first, last) is NAME(arguments[0], arguments[1], ..., first, last). */
typedef int (*Kernel)(const intptr_t *arguments, int first, int last);
#define KERNEL(name, ...) \
    int do_##name(const intptr_t *a, int first, int last) { return name(__VA_ARGS__, first, last); }
#define P(n) (void *)a[n]
#define I(n) (int)a[n]
KERNEL(spatial_forward, P(0), P(1), P(2), P(3), P(4), P(5), I(6), I(7), I(8), I(9), I(10), I(11), I(12), I(13))
KERNEL(spatial_backward, P(0), P(1), P(2), P(3), P(4), P(5), P(6), P(7), I(8), P(9), I(10), I(11), I(12), I(13), I(14),
       I(15), I(16), I(17))
KERNEL(temporal_forward, P(0), P(1), P(2), P(3), P(4), P(5), P(6), I(7), I(8), I(9), I(10))
KERNEL(temporal_add, P(0), P(1), P(2), P(3), P(4), I(5), I(6), I(7), I(8), I(9))
KERNEL(temporal_backward, P(0), P(1), P(2), P(3), P(4), P(5), P(6), P(7), P(8), P(9), P(10), P(11), P(12), P(13), I(14),
       I(15), I(16), I(17))
KERNEL(covariance, P(0), P(1), P(2), P(3), I(4), P(5), P(6), I(7))
KERNEL(blend_forward, P(0), P(1), P(2), P(3), I(4), P(5), P(6), P(7), P(8), P(9), I(10), I(11), I(12))
KERNEL(blend_backward, P(0), P(1), P(2), P(3), I(4), P(5), P(6), P(7), P(8), P(9), P(10), P(11), P(12), P(13), I(14),
       I(15), I(16))
KERNEL(mix_forward, P(0), P(1), P(2), P(3), P(4), P(5), I(6), I(7), I(8), I(9))
KERNEL(mix_backward, P(0), P(1), P(2), P(3), P(4), I(5), I(6), I(7), I(8))
KERNEL(thin, P(0), P(1), I(2), I(3), I(4), I(5))
KERNEL(avg_pool, P(0), P(1), I(2), I(3), I(4), I(5), I(6))
KERNEL(max_pool_forward, P(0), P(1), P(2), I(3), I(4), I(5), I(6))
KERNEL(max_pool_backward, P(0), P(1), P(2), I(3), I(4), I(5), I(6))
#undef KERNEL
#undef P
#undef I

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
