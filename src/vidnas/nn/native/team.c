/* How Python calls a kernel on many items: with all its arguments in one array, and divided among threads. */
#include "vectors.h"

#include <time.h>

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
    long long caller_done_ns;
} Team;

static long long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void be_member(void *data)
{
    Team *t = data;
    /* a limit of the system's may have made the team smaller than asked for */
    for (int thread = t->thread_num(); thread < t->threads; thread += t->num_threads())
        if (do_part(t->kernel, t->arguments, t->count, t->items, t->threads, thread))
            __atomic_store_n(&t->failed, 1, __ATOMIC_RELAXED);
    if (t->thread_num() == 0) t->caller_done_ns = now_ns();
}

/* A thread whose core others keep busy comes late, and all wait for it. Whoever has waited does the parts of all for a
 * while, one after the other and with the same result: for longer each time, until nobody comes late any more. */
enum { LATE_NS = 200000, SHORTEST_NS = 10000000, LONGEST_NS = 320000000 };
static _Thread_local long long alone_until_ns, alone_ns = SHORTEST_NS;

/* Whether one came late who had come late when asked before. */
static int late_again(long long worked_ns, long long waited_ns)
{
    int late = waited_ns > LATE_NS + worked_ns, again = late && alone_ns > SHORTEST_NS;
    if (late) {
        alone_until_ns = now_ns() + alone_ns;
        alone_ns = 2 * alone_ns < LONGEST_NS ? 2 * alone_ns : LONGEST_NS;
    } else
        alone_ns = SHORTEST_NS;
    return again;
}

/* All parts, at once where nobody keeps the others' cores busy. Returns these bits. */
enum { FAILED = 1, LATE_AGAIN = 2 };

int do_all(Kernel kernel, const intptr_t *arguments, int count, int items, int threads, Parallel parallel,
           Number thread_num, Number num_threads)
{
    Team team = {kernel, arguments, count, items, threads, thread_num, num_threads, 0, 0};
    long long begun_ns = now_ns();
    if (begun_ns < alone_until_ns) {
        for (int thread = 0; thread < threads; thread++)
            team.failed |= do_part(kernel, arguments, count, items, threads, thread);
        return team.failed;
    }
    parallel(be_member, &team, threads, 0);
    int again = late_again(team.caller_done_ns - begun_ns, now_ns() - team.caller_done_ns);
    return team.failed | (again ? LATE_AGAIN : 0);
}

/* What the members of a team may do (team.py: Crowd). */
void do_nothing(void *data)
{
    (void)data;
}
