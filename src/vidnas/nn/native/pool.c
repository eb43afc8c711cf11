/* Pooling over 3 x 3 pixels, then over three frames, with stride 1; padding never counts. */
#include "kernels.h"

/* Every stride-th pixel of every stride-th row of x into y or, as the gradient, the pixels of x to where they came from
 * in y, whose others are zero. */
static void thin_plane(const real *x, real *y, int height, int width, int stride, int gradient)
{
    int thin_height = (height + stride - 1) / stride, thin_width = (width + stride - 1) / stride;
    for (int row = 0; row < (gradient ? height : thin_height); row++) {
        if (!gradient) {
            const real *from = x + (size_t)row * stride * width;
            real *restrict to = y + (size_t)row * thin_width;
            for (int c = 0; c < thin_width; c++) to[c] = from[c * stride];
            continue;
        }
        real *restrict to = y + (size_t)row * width;
        memset(to, 0, width * sizeof(real));
        if (row % stride) continue;
        const real *from = x + (size_t)(row / stride) * thin_width;
        for (int c = 0; c < thin_width; c++) to[c * stride] = from[c];
    }
}

/* Those of the `channels` of `num` arrays; an item is a frame. */
static int thin(const real *const *x, real *const *y, const intptr_t *channels, int num, int height, int width,
                int stride, int gradient, int first, int last)
{
    size_t whole = (size_t)height * width;
    size_t thinned = (size_t)((height + stride - 1) / stride) * ((width + stride - 1) / stride);
    size_t from = gradient ? thinned : whole, to = gradient ? whole : thinned;
    for (int frame = first; frame < last; frame++)
        for (int n = 0; n < num; n++)
            for (size_t plane = frame * channels[n]; plane < (size_t)(frame + 1) * channels[n]; plane++)
                thin_plane(x[n] + plane * from, y[n] + plane * to, height, width, stride, gradient);
    return 0;
}

/* 1 / the number of pixels, or frames, of a window of three at place `at` of `size`. */
static inline real share_of(int at, int size) { return (real)1 / (1 + (at > 0) + (at < size - 1)); }

/* The sum of every number and those `apart` before and behind it, as far as there are any. */
static void sum_of_three(const real *from, int apart, int count, real *restrict to)
{
    int low = smaller(apart, count - apart), high = larger(apart, count - apart);
    for (int i = 0; i < low; i++) to[i] = from[i] + from[i + apart];
    if (high > apart) for (int i = low; i < high; i++) to[i] = from[i] + from[i - apart] + from[i + apart];
    else memcpy(to + low, from + low, (high - low) * sizeof(real));
    for (int i = high; i < count; i++) to[i] = from[i] + from[i - apart];
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

/* Keep the larger of a number and the best so far, and its place. Places are numbers too, so that the compiler can use
 * vectors. */
static inline void keep_larger(real number, real place, real *best, real *best_place)
{
    int better = (number > *best) | (number != number);
    *best_place = better ? place : *best_place;
    *best = better ? number : *best;
}

/* best_of_three at places from `first` on, which have one before them and one behind them or not. */
static inline __attribute__((always_inline)) void best_from(const real *numbers, const real *own_place, int apart,
                                                            int unit, int first, int last, int before, int after,
                                                            real *restrict best, real *restrict place)
{
    for (int i = first; i < last; i++) {
        int start = before ? i - apart : i, next = i + apart;
        real most = numbers[start], at = (before ? 0 : unit) + (own_place ? own_place[start] : 0);
        if (before) keep_larger(numbers[i], unit + (own_place ? own_place[i] : 0), &most, &at);
        if (after) keep_larger(numbers[next], 2 * unit + (own_place ? own_place[next] : 0), &most, &at);
        best[i] = most;
        place[i] = at;
    }
}

/* The best of every number and those `apart` before and behind it, as far as there are any, and their places: 0, `unit`
 * or twice `unit` + their own. */
static inline __attribute__((always_inline)) void best_of_three(const real *numbers, const real *own_place, int apart,
                                                                int count, int unit, real *best, real *place)
{
    int low = smaller(apart, count - apart), high = larger(apart, count - apart), both = high > apart;
    best_from(numbers, own_place, apart, unit, 0, low, 0, 1, best, place);
    if (both) best_from(numbers, own_place, apart, unit, low, high, 1, 1, best, place);
    else best_from(numbers, own_place, apart, unit, low, high, 0, 0, best, place);
    best_from(numbers, own_place, apart, unit, high, count, 1, 0, best, place);
}

/* best_of_three along the rows of a plane: at first as if a row began beside the end of the one before, then the ends
 * of rows anew. */
static void best_of_rows(const real *from, int height, int width, real *best, real *place)
{
    best_of_three(from, NULL, 1, height * width, 1, best, place);
    for (int row = 0; row < height; row++, from += width, best += width, place += width) {
        best_from(from, NULL, 1, 1, 0, 1, 0, width > 1, best, place);
        if (width > 1) best_from(from, NULL, 1, 1, width - 1, width, 1, 0, best, place);
    }
}

/* Max pooling over 3 x 3 pixels, then three frames. `winner` is the place of the largest value in its window, of
 * equal ones the first: 9 x frame + 3 x row + column, each from 0 to 2. An item is a channel of a clip. */
static int max_pool_forward(const real *x, real *y, uint8_t *winner, int T, int C, int height, int width, int first,
                            int last)
{
    size_t pixels = (size_t)height * width, frame = pixels * C, all = T * pixels;
    /* the best and their places: of rows of three pixels, of 3 x 3 pixels, of three frames */
    real *scratch = zeros(2 * pixels + 4 * all), *rows = scratch, *row_place = rows + pixels;
    real *planes = row_place + pixels, *plane_place = planes + all, *total = plane_place + all, *place = total + all;
    if (!scratch) return 1;
    for (int item = first; item < last; item++) {
        size_t origin = (size_t)(item / C) * T * frame + (size_t)(item % C) * pixels;
        for (int t = 0; t < T; t++) {
            best_of_rows(x + origin + t * frame, height, width, rows, row_place);
            best_of_three(rows, row_place, width, pixels, 3, planes + t * pixels, plane_place + t * pixels);
        }
        best_of_three(planes, plane_place, pixels, all, 9, total, place);
        for (int t = 0; t < T; t++) {
            memcpy(y + origin + t * frame, total + t * pixels, pixels * sizeof(real));
            for (size_t p = 0; p < pixels; p++) winner[origin + t * frame + p] = (uint8_t)place[t * pixels + p];
        }
    }
    free(scratch);
    return 0;
}

static inline real larger_real(real a, real b) { return b > a || b != b ? b : a; } /* NaN stays */

/* The largest of every number and those `apart` before and behind it, as far as there are any. */
static void largest_of_three(const real *from, int apart, int count, real *restrict to)
{
    int low = smaller(apart, count - apart), high = larger(apart, count - apart);
    for (int i = 0; i < low; i++) to[i] = larger_real(from[i], from[i + apart]);
    if (high > apart)
        for (int i = low; i < high; i++) to[i] = larger_real(larger_real(from[i], from[i - apart]), from[i + apart]);
    else memcpy(to + low, from + low, (high - low) * sizeof(real));
    for (int i = high; i < count; i++) to[i] = larger_real(from[i], from[i - apart]);
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
static int max_pool_backward(const real *g, const uint8_t *winner, real *dx, int T, int C, int height, int width,
                             int first, int last)
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
