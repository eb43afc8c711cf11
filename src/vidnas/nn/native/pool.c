/* Pooling over 3 x 3 pixels, then over three frames, with stride 1; padding never counts. */
#include "kernels.h"

/* Every stride-th pixel of every stride-th row of x into y or, as the gradient, the pixels of x to where they came from
 * in y, whose others are zero. An item is a plane. */
static int thin(const real *x, real *y, int height, int width, int stride, int gradient, int first, int last)
{
    int thin_height = (height + stride - 1) / stride, thin_width = (width + stride - 1) / stride;
    size_t pixels = (size_t)height * width, thin_pixels = (size_t)thin_height * thin_width;
    for (int item = first; item < last; item++)
        for (int row = 0; row < (gradient ? height : thin_height); row++) {
            if (!gradient) {
                const real *from = x + item * pixels + (size_t)row * stride * width;
                real *restrict to = y + item * thin_pixels + (size_t)row * thin_width;
                for (int c = 0; c < thin_width; c++) to[c] = from[c * stride];
                continue;
            }
            real *restrict to = y + item * pixels + (size_t)row * width;
            memset(to, 0, width * sizeof(real));
            if (row % stride) continue;
            const real *from = x + item * thin_pixels + (size_t)(row / stride) * thin_width;
            for (int c = 0; c < thin_width; c++) to[c * stride] = from[c];
        }
    return 0;
}

/* 1 / the number of pixels, or frames, of a window of three at place `at` of `size`. */
static inline real share_of(int at, int size) { return (real)1 / (1 + (at > 0) + (at < size - 1)); }

/* The sum of every number and those `apart` before and behind it, as far as there are any. */
static void sum_of_three(const real *from, int apart, int count, real *restrict to)
{
    for (int i = 0; i < count; i++) to[i] = from[i];
    for (int i = apart; i < count; i++) to[i] += from[i - apart];
    for (int i = 0; i < count - apart; i++) to[i] += from[i + apart];
}

/* Average pooling over three frames and 3 x 3 pixels without counting padding, or its gradient: the latter weighs
 * by the counts before it sums. An item is a channel of a clip. */
static int avg_pool(const real *x, real *y, int T, int C, int height, int width, int gradient, int first, int last)
{
    size_t pixels = (size_t)height * width, frame = pixels * C;
    real *share = zeros((2 * T + 3) * pixels), *plane = share + pixels, *rows = plane + pixels;
    real *planes = rows + pixels, *total = planes + T * pixels;
    if (!share) return 1;
    for (size_t p = 0; p < pixels; p++) share[p] = share_of(p / width, height) * share_of(p % width, width);
    for (int item = first; item < last; item++) {
        size_t origin = (size_t)(item / C) * T * frame + (size_t)(item % C) * pixels;
        for (int t = 0; t < T; t++) {
            const real *from = x + origin + t * frame;
            real own = share_of(t, T);
            for (size_t p = 0; gradient && p < pixels; p++) plane[p] = own * share[p] * from[p];
            from = gradient ? plane : from;
            sum_of_three(from, 1, pixels, rows); /* as if a row began beside the end of the one before */
            for (int row = 0; row < height; row++) {
                const real *line = from + (size_t)row * width;
                real *sum = rows + (size_t)row * width;
                sum[0] = width > 1 ? line[0] + line[1] : line[0];
                if (width > 1) sum[width - 1] = line[width - 2] + line[width - 1];
            }
            sum_of_three(rows, width, pixels, planes + t * pixels);
        }
        sum_of_three(planes, pixels, T * pixels, total);
        for (int t = 0; t < T; t++) {
            const real *sum = total + t * pixels;
            real *restrict to = y + origin + t * frame, own = share_of(t, T);
            if (gradient) memcpy(to, sum, pixels * sizeof(real));
            else for (size_t p = 0; p < pixels; p++) to[p] = own * share[p] * sum[p];
        }
    }
    free(share);
    return 0;
}

/* Keep the larger of `count` numbers and those so far, and its place, `place` + its own, which are numbers too so
 * that the compiler can use vectors. */
static void keep_larger(const real *numbers, const real *own_place, real place, real *best, real *best_place, int count)
{
    for (int i = 0; i < count; i++) {
        int better = numbers[i] > best[i] || numbers[i] != numbers[i];
        best[i] = better ? numbers[i] : best[i];
        best_place[i] = better ? place + (own_place ? own_place[i] : 0) : best_place[i];
    }
}

static void start_with(const real *numbers, const real *own_place, real place, real *best, real *best_place, int count)
{
    for (int i = 0; i < count; i++) {
        best[i] = numbers[i];
        best_place[i] = place + (own_place ? own_place[i] : 0);
    }
}

/* The best of three pixels of every row of a plane, and their places from 0 to 2. Whole planes at a time, as if a row
 * began beside the end of the one before; then the ends of rows anew. */
static void best_of_rows(const real *from, int height, int width, real *best, real *place)
{
    int others = height * width - 1;
    start_with(from, NULL, 0, best + 1, place + 1, others);
    keep_larger(from + 1, NULL, 1, best + 1, place + 1, others);
    keep_larger(from + 1, NULL, 2, best, place, others);
    for (int row = 0; row < height; row++, from += width, best += width, place += width) {
        start_with(from, NULL, 1, best, place, 1); /* the first pixel has nothing on its left */
        if (width == 1) continue;
        keep_larger(from + 1, NULL, 2, best, place, 1);
        start_with(from + width - 2, NULL, 0, best + width - 1, place + width - 1, 1);
        keep_larger(from + width - 1, NULL, 1, best + width - 1, place + width - 1, 1);
    }
}

/* Max pooling over 3 x 3 pixels, then three frames. `winner` is the place of the largest value in its window, of
 * equal ones the first: 9 x frame + 3 x row + column, each from 0 to 2. An item is a channel of a clip. */
static int max_pool_forward(const real *x, real *y, uint8_t *winner, int T, int C, int height, int width, int first,
                            int last)
{
    size_t pixels = (size_t)height * width, frame = pixels * C, others = pixels - width;
    /* the best so far and their places: of rows of three pixels, of 3 x 3 pixels, of three frames */
    real *scratch = zeros((2 * T + 4) * pixels);
    real *row_best = scratch, *row_place = row_best + pixels, *best = row_place + pixels, *place = best + T * pixels;
    real *total = place + T * pixels, *total_place = total + pixels;
    if (!scratch) return 1;
    for (int item = first; item < last; item++) {
        size_t origin = (size_t)(item / C) * T * frame + (size_t)(item % C) * pixels;
        for (int t = 0; t < T; t++) {
            real *own = best + t * pixels, *own_place = place + t * pixels;
            best_of_rows(x + origin + t * frame, height, width, row_best, row_place);
            start_with(row_best, row_place, 3, own, own_place, width); /* the first row has nothing above it */
            start_with(row_best, row_place, 0, own + width, own_place + width, others);
            keep_larger(row_best + width, row_place + width, 3, own + width, own_place + width, others);
            keep_larger(row_best + width, row_place + width, 6, own, own_place, others);
        }
        for (int t = 0; t < T; t++) {
            int start = larger(t - 1, 0), end = smaller(t + 1, T - 1);
            for (int s = start; s <= end; s++)
                (s == start ? start_with : keep_larger)(best + s * pixels, place + s * pixels, 9 * (s - t + 1), total,
                                                        total_place, pixels);
            memcpy(y + origin + t * frame, total, pixels * sizeof(real));
            for (size_t p = 0; p < pixels; p++) winner[origin + t * frame + p] = (uint8_t)total_place[p];
        }
    }
    free(scratch);
    return 0;
}

static inline real larger_real(real a, real b) { return b > a || b != b ? b : a; } /* NaN stays */

/* The largest of every number and those `apart` before and behind it, as far as there are any. */
static void largest_of_three(const real *from, int apart, int count, real *restrict to)
{
    for (int i = 0; i < smaller(apart, count); i++) to[i] = from[i];
    for (int i = apart; i < count; i++) to[i] = larger_real(from[i], from[i - apart]);
    for (int i = 0; i < count - apart; i++) to[i] = larger_real(to[i], from[i + apart]);
}

/* max_pool_forward without the winners, for inference. */
static int max_pool(const real *x, real *y, int T, int C, int height, int width, int first, int last)
{
    size_t pixels = (size_t)height * width, frame = pixels * C;
    real *rows = zeros((2 * T + 1) * pixels), *planes = rows + pixels, *total = planes + T * pixels;
    if (!rows) return 1;
    for (int item = first; item < last; item++) {
        size_t origin = (size_t)(item / C) * T * frame + (size_t)(item % C) * pixels;
        for (int t = 0; t < T; t++) {
            const real *from = x + origin + t * frame;
            largest_of_three(from, 1, pixels, rows); /* as if a row began beside the end of the one before */
            for (int row = 0; row < height; row++) {
                const real *own = from + (size_t)row * width;
                real *to = rows + (size_t)row * width;
                to[0] = width > 1 ? larger_real(own[0], own[1]) : own[0];
                if (width > 1) to[width - 1] = larger_real(own[width - 1], own[width - 2]);
            }
            largest_of_three(rows, width, pixels, planes + t * pixels);
        }
        largest_of_three(planes, pixels, T * pixels, total);
        for (int t = 0; t < T; t++) memcpy(y + origin + t * frame, total + t * pixels, pixels * sizeof(real));
    }
    free(rows);
    return 0;
}

/* The gradient of max_pool_forward: adds every g to the place it came from in dx. */
static int max_pool_backward(const real *g, const uint8_t *winner, real *dx, int T, int C, int height, int width, int first,
                       int last)
{
    size_t pixels = (size_t)height * width, frame = pixels * C;
    ptrdiff_t offset[27];
    for (int place = 0; place < 27; place++)
        offset[place] = (place / 9 - 1) * (ptrdiff_t)frame + (place / 3 % 3 - 1) * width + place % 3 - 1;
    for (int item = first; item < last; item++)
        for (int t = 0; t < T; t++) {
            size_t origin = ((size_t)(item / C) * T + t) * frame + (size_t)(item % C) * pixels;
            for (size_t p = origin; p < origin + pixels; p++) dx[p + offset[winner[p]]] += g[p];
        }
    return 0;
}
