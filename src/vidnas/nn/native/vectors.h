/* What all kernels are made of: vectors, scratch, packed filters, and three inner loops. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef REAL real;
typedef double precise; /* to Python a tensor of double precision in either case */
/* Registers hold FEW or MANY output channels x the vectors of pixels that then fit or, for the gradients of filters,
 * GRADS output channels x three taps. */
#if defined(__AVX512F__)
enum { VEC_BYTES = 64, FEW = 4, FEW_VECS = 6, MANY = 8, MANY_VECS = 3, GRADS = 8 };
#elif defined(__AVX__)
enum { VEC_BYTES = 32, FEW = 4, FEW_VECS = 3, MANY = 4, MANY_VECS = 3, GRADS = 4 };
#else
enum { VEC_BYTES = 16, FEW = 4, FEW_VECS = 6, MANY = 8, MANY_VECS = 3, GRADS = 8 };
#endif
enum { LANES = VEC_BYTES / sizeof(real), SPAN = FEW_VECS * LANES, TAPS = 9, SCRATCH_BYTES = 1 << 18 };
typedef real vec __attribute__((vector_size(VEC_BYTES), aligned(sizeof(real)), may_alias));

/* Keeps gcc from loading a vector anew for each use: loads across cache lines are what there is least time for. */
#if defined(__GNUC__) && defined(__x86_64__)
#define IN_REGISTER(vector) __asm__("" : "+x"(vector))
#else
#define IN_REGISTER(vector)
#endif

static inline vec load(const real *from) { return *(const vec *)from; }
static inline void store(real *to, vec v) { *(vec *)to = v; }
static inline int smaller(int a, int b) { return a < b ? a : b; }
static inline int larger(int a, int b) { return a > b ? a : b; }
static inline int round_up(int a, int unit) { return (a + unit - 1) / unit * unit; }

/* Like PyTorch's, relu and pools hand NaN on: a diverged training must be seen. */
static inline real relu(real value) { return value < 0 ? 0 : value; }

static inline real sum_of(vec v)
{
    real total = 0;
    for (int lane = 0; lane < LANES; lane++) total += v[lane];
    return total;
}

/* Add the sum and the sum of squares of `count` numbers; few are added in `real` before double takes over. */
static void add_moments(const real *numbers, int count, double *sum, double *square_sum)
{
    int i = 0;
    while (i + LANES <= count) {
        vec s = {0}, q = {0};
        for (int end = smaller(i + 32 * LANES, count - count % LANES); i < end; i += LANES) {
            vec v = load(numbers + i);
            s += v;
            q += v * v;
        }
        *sum += sum_of(s);
        *square_sum += sum_of(q);
    }
    for (; i < count; i++) {
        *sum += numbers[i];
        *square_sum += numbers[i] * numbers[i];
    }
}

/* `count` zeros at the start of a cache line, so that vectors of scratch seldom lie across two. */
static real *zeros(size_t count)
{
    size_t bytes = (count * sizeof(real) + 63) / 64 * 64;
    real *numbers = aligned_alloc(64, bytes);
    return numbers ? memset(numbers, 0, bytes) : NULL;
}

/* Output channels that are summed at once where there are so many. */
static inline int block_size(int outputs) { return outputs > FEW ? MANY : FEW; }

/* Filters (outputs, inputs, taps) as blocks of outputs: [block][input][tap][size]; zero where there is no output. With
 * `backward` they are those of the convolution's transpose: given (inputs, outputs, taps), the taps turned round. */
static real *pack(const real *filters, int outputs, int inputs, int taps, int backward)
{
    int size = block_size(outputs), blocks = (outputs + size - 1) / size;
    real *packed = zeros((size_t)blocks * inputs * taps * size + 1), *to = packed;
    for (int first = 0; packed && first < outputs; first += size)
        for (int i = 0; i < inputs; i++)
            for (int tap = 0; tap < taps; tap++, to += size)
                for (int o = first; o < smaller(first + size, outputs); o++)
                    to[o - first] = backward ? filters[((size_t)i * outputs + o) * taps + taps - 1 - tap]
                                             : filters[((size_t)o * inputs + i) * taps + tap];
    return packed;
}

/* `size` rows of `length` numbers into result, `result_row` apart: for each of `inputs` rows of scratch, `row` apart,
 * and each of its taps a packed weight times what lies there. Inlined with constant size, vecs and num_taps. */
static inline __attribute__((always_inline)) void sum_taps(const real *scratch, int inputs, size_t row,
                                                           const ptrdiff_t *tap, const real *packed, int length,
                                                           real *result, size_t result_row, int size, int vecs,
                                                           int num_taps)
{
    for (int at = 0; at < length; at += vecs * LANES) {
        vec acc[MANY][FEW_VECS];
        const real *from = scratch + at, *weight = packed;
        for (int o = 0; o < size; o++)
            for (int v = 0; v < vecs; v++) acc[o][v] = (vec){0};
        for (int i = 0; i < inputs; i++, from += row)
            for (int t = 0; t < num_taps; t++, weight += size) {
                vec numbers[FEW_VECS];
                for (int v = 0; v < vecs; v++) numbers[v] = load(from + tap[t] + v * LANES);
                for (int o = 0; o < size; o++)
                    for (int v = 0; v < vecs; v++) acc[o][v] += weight[o] * numbers[v];
            }
        for (int o = 0; o < size; o++)
            for (int v = 0; v < vecs; v++) store(result + o * result_row + at + v * LANES, acc[o][v]);
    }
}

/* `size` = block_size(...) rows of `count` numbers into result [size][span]: a matrix, packed, times `inputs` rows,
 * `span` apart. */
static void multiply(const real *rows, int inputs, int span, const real *packed, int count, real *result, int size)
{
    static const ptrdiff_t at_itself[1] = {0};
    if (size == FEW) sum_taps(rows, inputs, span, at_itself, packed, count, result, span, FEW, FEW_VECS, 1);
    else sum_taps(rows, inputs, span, at_itself, packed, count, result, span, MANY, MANY_VECS, 1);
}

/* Add to products[i * stride + j] those of all pairs of rows, `pitch` apart, or, where a is b, at least of those with
 * i <= j. Behind their `length` numbers lie zeros, in one of a pair at least. */
static void add_products(const real *a, int num_a, const real *b, int num_b, size_t pitch, int length, double *products,
                         int stride)
{
    enum { A = 3, B = 4 };
    for (int i = 0; i < num_a; i += A)
        for (int j = a == b ? i / B * B : 0; j < num_b; j += B) {
            vec acc[A][B] = {{{0}}};
            const real *from_a[A], *from_b[B];
            for (int u = 0; u < A; u++) from_a[u] = a + smaller(i + u, num_a - 1) * pitch;
            for (int v = 0; v < B; v++) from_b[v] = b + smaller(j + v, num_b - 1) * pitch;
            for (int p = 0; p < length; p += LANES) {
                vec left[A];
                for (int u = 0; u < A; u++) left[u] = load(from_a[u] + p);
                for (int v = 0; v < B; v++) {
                    vec right = load(from_b[v] + p);
                    IN_REGISTER(right);
                    for (int u = 0; u < A; u++) acc[u][v] += left[u] * right;
                }
            }
            for (int u = 0; u < smaller(A, num_a - i); u++)
                for (int v = 0; v < smaller(B, num_b - j); v++)
                    products[(size_t)(i + u) * stride + j + v] += sum_of(acc[u][v]);
        }
}
