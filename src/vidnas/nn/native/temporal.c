/* The temporal stage: each branch's own convolution over three frames. */
#include "kernels.h"

/* What is alike for all items: clips of T frames, of K channels of `pixels`, in groups of C. An item is a span of
 * pixels of one clip. In scratch a channel is a row of [T + 2][pixels of the item] numbers, zeros in the frames around
 * and behind them. So the taps of an output lie a frame apart, and vectors run on from frame to frame. */
typedef struct {
    int T, C, K, pixels, span, groups, size;
    size_t frame, row, result_row;
} Stage;

/* Pixels at which all frames of C channels, and of some results, fit into the cache. */
static int span_of(int T, int C, int pixels)
{
    int fitting = SCRATCH_BYTES / (int)sizeof(real) / ((T + 2) * C + T * block_size(C));
    return smaller(pixels, larger(fitting / LANES, 1) * LANES);
}

static Stage stage_of(int T, int C, int K, int pixels)
{
    int span = span_of(T, C, pixels);
    return (Stage){T, C, K, pixels, span, K / C, block_size(C), (size_t)K * pixels, (size_t)(T + 2) * span + SPAN,
                   (size_t)T * span + SPAN};
}

int num_spans(int T, int C, int pixels) { return (pixels + span_of(T, C, pixels) - 1) / span_of(T, C, pixels); }

/* An item: `count` pixels of a clip. */
typedef struct {
    int clip, start, count;
} Span;

static Span item_span(const Stage *s, int item)
{
    int spans = num_spans(s->T, s->C, s->pixels), start = item % spans * s->span;
    return (Span){item / spans, start, smaller(s->span, s->pixels - start)};
}

/* Where a span's first channel of `channel` begins in an array whose frames have `channels`. */
static size_t origin_of(const Stage *s, Span at, int channels, int channel)
{
    return ((size_t)at.clip * s->T * channels + channel) * s->pixels + at.start;
}

/* Zeros around the frames of a row. */
static void clear_around(const Stage *s, int count, real *row)
{
    size_t end = (size_t)(s->T + 1) * count;
    memset(row, 0, count * sizeof(real));
    memset(row + end, 0, (s->row - end) * sizeof(real));
}

/* A group's channels at `count` pixels of all frames into scratch: relu(scale z + shift). */
static void fill_activations(const Stage *s, const real *z, const real *scale, const real *shift, int count,
                             real *scratch)
{
    for (int c = 0; c < s->C; c++) {
        real *row = scratch + c * s->row, a = scale[c], b = shift[c];
        clear_around(s, count, row);
        for (int t = 0; t < s->T; t++) {
            const real *from = z + t * s->frame + (size_t)c * s->pixels;
            real *restrict to = row + (size_t)(t + 1) * count;
            for (int p = 0; p < count; p++) to[p] = relu(a * from[p] + b);
        }
    }
}

/* A group's channels of dy = scale g + slope y + shift at `count` pixels of all frames into scratch. */
static void fill_gradients(const Stage *s, const real *g, size_t g_frame, const real *y, const real *scale,
                           const real *slope, const real *shift, int count, real *scratch)
{
    for (int c = 0; c < s->C; c++) {
        real *row = scratch + c * s->row, a = scale[c], b = slope[c], constant = shift[c];
        clear_around(s, count, row);
        for (int t = 0; t < s->T; t++) {
            const real *y_from = y + t * s->frame + (size_t)c * s->pixels;
            const real *g_from = g + t * g_frame + (size_t)c * s->pixels;
            real *restrict to = row + (size_t)(t + 1) * count;
            for (int p = 0; p < count; p++) to[p] = a * g_from[p] + b * y_from[p] + constant;
        }
    }
}

static void free_groups(real **packed, int groups)
{
    for (int group = 0; packed && group < groups; group++) free(packed[group]);
    free(packed);
}

/* Every group's filters, or NULL. */
static real **pack_groups(const Stage *s, const real *filters, int backward)
{
    real **packed = calloc(s->groups, sizeof(real *));
    for (int group = 0; packed && group < s->groups; group++) {
        packed[group] = pack(filters + (size_t)group * s->C * s->C * 3, s->C, s->C, 3, backward);
        if (!packed[group]) {
            free_groups(packed, s->groups);
            return NULL;
        }
    }
    return packed;
}

/* Channels [o, o + size) of all frames. */
static void convolve_frames(const Stage *s, const real *scratch, const real *packed, int o, int count, real *result)
{
    const ptrdiff_t tap[3] = {0, count, 2 * count};
    const real *own = packed + (size_t)o * s->C * 3;
    int length = s->T * count;
    if (s->size == FEW)
        sum_taps(scratch, s->C, s->row, tap, own, length, result, s->result_row, FEW, FEW_VECS, 3);
    else
        sum_taps(scratch, s->C, s->row, tap, own, length, result, s->result_row, MANY, MANY_VECS, 3);
}

/* y = filters * relu(scale z + shift) over time, each group by itself, and the moments of y. */
static int temporal_forward(const real *z, const real *scale, const real *shift, const real *filters, real *y,
                     double *sums, double *square_sums, int T, int C, int K, int pixels, int first, int last)
{
    Stage s = stage_of(T, C, K, pixels);
    real **packed = pack_groups(&s, filters, 0);
    real *scratch = zeros(s.C * s.row), *result = zeros(s.size * s.result_row);
    int failed = !packed || !scratch || !result;
    for (int item = first; item < last && !failed; item++) {
        Span at = item_span(&s, item);
        for (int group = 0; group < s.groups; group++) {
            int first_k = group * C;
            size_t origin = origin_of(&s, at, K, first_k);
            fill_activations(&s, z + origin, scale + first_k, shift + first_k, at.count, scratch);
            for (int o = 0; o < C; o += s.size) {
                convolve_frames(&s, scratch, packed[group], o, at.count, result);
                for (int c = o; c < smaller(o + s.size, C); c++) {
                    const real *row = result + (c - o) * s.result_row;
                    add_moments(row, T * at.count, sums + first_k + c, square_sums + first_k + c);
                    for (int t = 0; t < T; t++)
                        memcpy(y + origin + t * s.frame + (size_t)c * pixels, row + (size_t)t * at.count,
                               at.count * sizeof(real));
                }
            }
        }
    }
    free_groups(packed, s.groups);
    free(scratch);
    free(result);
    return failed;
}

/* out[slot[j]] += bias + filters * z over time for group j, for inference: z is behind its relu, the last norm is in
 * filters and bias. Each out has C channels. */
static int temporal_add(const real *z, const real *filters, const real *bias, const intptr_t *slot, real *const *out,
                        int T, int C, int K, int pixels, int first, int last)
{
    Stage s = stage_of(T, C, K, pixels);
    real **packed = pack_groups(&s, filters, 0);
    real *scratch = zeros(s.C * s.row), *result = zeros(s.size * s.result_row);
    int failed = !packed || !scratch || !result;
    for (int item = first; item < last && !failed; item++) {
        Span at = item_span(&s, item);
        for (int group = 0; group < s.groups; group++) {
            const real *from = z + origin_of(&s, at, K, group * C);
            real *to = out[slot[group]] + origin_of(&s, at, C, 0);
            for (int c = 0; c < C; c++) {
                real *row = scratch + c * s.row;
                clear_around(&s, at.count, row);
                for (int t = 0; t < T; t++)
                    memcpy(row + (size_t)(t + 1) * at.count, from + t * s.frame + (size_t)c * pixels,
                           at.count * sizeof(real));
            }
            for (int o = 0; o < C; o += s.size) {
                convolve_frames(&s, scratch, packed[group], o, at.count, result);
                for (int c = o; c < smaller(o + s.size, C); c++)
                    for (int t = 0; t < T; t++) {
                        const real *row = result + (c - o) * s.result_row + (size_t)t * at.count;
                        real *restrict sum = to + ((size_t)t * C + c) * pixels, constant = bias[group * C + c];
                        for (int p = 0; p < at.count; p++) sum[p] += row[p] + constant;
                    }
            }
        }
    }
    free_groups(packed, s.groups);
    free(scratch);
    free(result);
    return failed;
}

/* dz = `gradient` where the activation was positive, and adds the sums of dz and of dz z. */
static void through_relu(const real *gradient, const real *activation, const real *z, int count, real *restrict dz,
                         double *sum, double *product_sum)
{
    real own_sum = 0, own_product_sum = 0;
    for (int p = 0; p < count; p++) {
        real value = activation[p] > 0 ? gradient[p] : 0;
        dz[p] = value;
        own_sum += value;
        own_product_sum += value * z[p];
    }
    *sum += own_sum;
    *product_sum += own_product_sum;
}

/* The gradients of temporal_forward from those of the sums over groups: group j's is g[slot[j]], of C channels.
 * dy = y_scale g + y_slope y + y_shift by channel. Writes dz, the gradient in front of the relu, and adds the sums of
 * dz and of dz z, and d_filters (K, 3, C), taps before inputs, unless that is NULL. */
static int temporal_backward(const real *z, const real *scale, const real *shift, const real *filters, const real *y,
                      const real *const *g, const intptr_t *slot, const real *y_scale, const real *y_slope,
                      const real *y_shift, real *dz, double *sums, double *product_sums, double *d_filters, int T,
                      int C, int K, int pixels, int first, int last)
{
    Stage s = stage_of(T, C, K, pixels);
    real **packed = pack_groups(&s, filters, 1);
    real *activations = zeros(s.C * s.row), *gradients = zeros(s.C * s.row), *result = zeros(s.size * s.result_row);
    int failed = !packed || !activations || !gradients || !result;
    for (int item = first; item < last && !failed; item++) {
        Span at = item_span(&s, item);
        for (int group = 0; group < s.groups; group++) {
            int first_k = group * C;
            size_t origin = origin_of(&s, at, K, first_k);
            fill_activations(&s, z + origin, scale + first_k, shift + first_k, at.count, activations);
            fill_gradients(&s, g[slot[group]] + origin_of(&s, at, C, 0), (size_t)C * pixels, y + origin,
                           y_scale + first_k, y_slope + first_k, y_shift + first_k, at.count, gradients);
            for (int i = 0; i < C; i += s.size) {
                convolve_frames(&s, gradients, packed[group], i, at.count, result);
                for (int c = i; c < smaller(i + s.size, C); c++)
                    for (int t = 0; t < T; t++) {
                        size_t place = origin + t * s.frame + (size_t)c * pixels, own = (size_t)t * at.count;
                        through_relu(result + (c - i) * s.result_row + own, activations + c * s.row + own + at.count,
                                     z + place, at.count, dz + place, sums + first_k + c, product_sums + first_k + c);
                    }
            }
            for (int tap = 0; tap < 3 && d_filters; tap++)
                add_products(gradients + at.count, C, activations + (size_t)tap * at.count, C, s.row, T * at.count,
                             d_filters + ((size_t)first_k * 3 + tap) * C, 3 * C);
        }
    }
    free_groups(packed, s.groups);
    free(activations);
    free(gradients);
    free(result);
    return failed;
}
