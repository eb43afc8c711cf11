/* The temporal stage: each branch's own convolution over three frames. */
#include "kernels.h"

/* What is alike for all items: clips of T frames, of K channels of `pixels`, in groups of C. An item is a span of
 * pixels of one clip. In scratch lie [T + 2][C][span] numbers, zeros in the frames around and behind the last pixel, so
 * that three frames of all channels are 3 C rows one behind the other. */
typedef struct {
    int T, C, K, pixels, span, groups, size;
    size_t frame, scratch;
} Stage;

static Stage stage_of(int T, int C, int K, int pixels)
{
    int span = span_of(T, C);
    return (Stage){T, C, K, pixels, span, K / C, block_size(C), (size_t)K * pixels, (size_t)(T + 2) * C * span};
}

int num_spans(int T, int C, int pixels) { return (pixels + span_of(T, C) - 1) / span_of(T, C); }

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

static real *row_of(const Stage *s, real *scratch, int t, int c)
{
    return scratch + ((size_t)(t + 1) * s->C + c) * s->span;
}

/* A group's channels at `count` pixels of all frames into scratch: relu(scale z + shift). */
static void fill_activations(const Stage *s, const real *z, const real *scale, const real *shift, int count,
                             real *scratch)
{
    for (int t = 0; t < s->T; t++)
        for (int c = 0; c < s->C; c++) {
            const real *from = z + t * s->frame + (size_t)c * s->pixels;
            real *restrict to = row_of(s, scratch, t, c), a = scale[c], b = shift[c];
            for (int p = 0; p < count; p++) to[p] = relu(a * from[p] + b);
            memset(to + count, 0, (s->span - count) * sizeof(real));
        }
}

/* A group's channels of dy = scale g + slope y + shift at `count` pixels of all frames into scratch. */
static void fill_gradients(const Stage *s, const real *g, size_t g_frame, const real *y, const real *scale,
                           const real *slope, const real *shift, int count, real *scratch)
{
    for (int t = 0; t < s->T; t++)
        for (int c = 0; c < s->C; c++) {
            const real *y_from = y + t * s->frame + (size_t)c * s->pixels;
            const real *g_from = g + t * g_frame + (size_t)c * s->pixels;
            real *restrict to = row_of(s, scratch, t, c), a = scale[c], b = slope[c], constant = shift[c];
            for (int p = 0; p < count; p++) to[p] = a * g_from[p] + b * y_from[p] + constant;
            memset(to + count, 0, (s->span - count) * sizeof(real));
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
        packed[group] = pack(filters + (size_t)group * s->C * s->C * 3, s->C, s->C, 3, 1, backward);
        if (!packed[group]) {
            free_groups(packed, s->groups);
            return NULL;
        }
    }
    return packed;
}

/* Channels [o, o + size) of frame t. */
static void convolve_frame(const Stage *s, const real *scratch, int t, const real *packed, int o, int count,
                           real *result)
{
    multiply(scratch + (size_t)t * s->C * s->span, 3 * s->C, s->span, packed + (size_t)o * s->C * 3, count, result,
             s->size);
}

/* y = filters * relu(scale z + shift) over time, each group by itself, and the moments of y. */
static int temporal_forward(const real *z, const real *scale, const real *shift, const real *filters, real *y,
                     double *sums, double *square_sums, int T, int C, int K, int pixels, int first, int last)
{
    Stage s = stage_of(T, C, K, pixels);
    real **packed = pack_groups(&s, filters, 0);
    real *scratch = zeros(s.scratch), *result = zeros(s.size * s.span);
    int failed = !packed || !scratch || !result;
    for (int item = first; item < last && !failed; item++) {
        Span at = item_span(&s, item);
        for (int group = 0; group < s.groups; group++) {
            int first_k = group * C;
            size_t origin = origin_of(&s, at, K, first_k);
            fill_activations(&s, z + origin, scale + first_k, shift + first_k, at.count, scratch);
            for (int t = 0; t < T; t++)
                for (int o = 0; o < C; o += s.size) {
                    convolve_frame(&s, scratch, t, packed[group], o, at.count, result);
                    for (int u = 0; u < smaller(s.size, C - o); u++) {
                        const real *row = result + u * s.span;
                        add_moments(row, at.count, sums + first_k + o + u, square_sums + first_k + o + u);
                        memcpy(y + origin + t * s.frame + (size_t)(o + u) * pixels, row, at.count * sizeof(real));
                    }
                }
        }
    }
    free_groups(packed, s.groups);
    free(scratch);
    free(result);
    return failed;
}

/* out += bias + filters * z over time, for inference: z is behind its relu, the last norm is in filters and bias.
 * Group j adds to the channels from slot[j] C of out's G. */
static int temporal_add(const real *z, const real *filters, const real *bias, const int *slot, real *out, int T, int C, int K,
                 int G, int pixels, int first, int last)
{
    Stage s = stage_of(T, C, K, pixels);
    real **packed = pack_groups(&s, filters, 0);
    real *scratch = zeros(s.scratch), *result = zeros(s.size * s.span);
    int failed = !packed || !scratch || !result;
    for (int item = first; item < last && !failed; item++) {
        Span at = item_span(&s, item);
        for (int group = 0; group < s.groups; group++) {
            const real *from = z + origin_of(&s, at, K, group * C);
            real *to = out + origin_of(&s, at, G, slot[group] * C);
            for (int t = 0; t < T; t++)
                for (int c = 0; c < C; c++)
                    copy_padded(from + t * s.frame + (size_t)c * pixels, at.count, s.span, row_of(&s, scratch, t, c));
            for (int t = 0; t < T; t++)
                for (int o = 0; o < C; o += s.size) {
                    convolve_frame(&s, scratch, t, packed[group], o, at.count, result);
                    for (int u = 0; u < smaller(s.size, C - o); u++) {
                        real *row = to + ((size_t)t * G + o + u) * pixels, constant = bias[group * C + o + u];
                        for (int p = 0; p < at.count; p++) row[p] += result[u * s.span + p] + constant;
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
 * dy = y_scale g + y_slope y + y_shift by channel. Writes dz, the gradient in front of the relu, and adds the sums of dz
 * and of dz z, and d_filters (K, 3, C), taps before inputs, unless that is NULL. */
static int temporal_backward(const real *z, const real *scale, const real *shift, const real *filters, const real *y,
                      const real *const *g, const int *slot, const real *y_scale, const real *y_slope,
                      const real *y_shift, real *dz, double *sums, double *product_sums, double *d_filters, int T,
                      int C, int K, int pixels, int first, int last)
{
    Stage s = stage_of(T, C, K, pixels);
    real **packed = pack_groups(&s, filters, 1);
    real *activations = zeros(s.scratch), *gradients = zeros(s.scratch), *result = zeros(s.size * s.span);
    int failed = !packed || !activations || !gradients || !result;
    for (int item = first; item < last && !failed; item++) {
        Span at = item_span(&s, item);
        for (int group = 0; group < s.groups; group++) {
            int first_k = group * C;
            size_t origin = origin_of(&s, at, K, first_k);
            fill_activations(&s, z + origin, scale + first_k, shift + first_k, at.count, activations);
            fill_gradients(&s, g[slot[group]] + origin_of(&s, at, C, 0), (size_t)C * pixels, y + origin,
                           y_scale + first_k, y_slope + first_k, y_shift + first_k, at.count, gradients);
            for (int t = 0; t < T; t++)
                for (int i = 0; i < C; i += s.size) {
                    convolve_frame(&s, gradients, t, packed[group], i, at.count, result);
                    for (int u = 0; u < smaller(s.size, C - i); u++) {
                        size_t place = origin + t * s.frame + (size_t)(i + u) * pixels;
                        through_relu(result + u * s.span, row_of(&s, activations, t, i + u), z + place, at.count,
                                     dz + place, sums + first_k + i + u, product_sums + first_k + i + u);
                    }
                }
            for (int t = 0; t < T && d_filters; t++)
                add_products(row_of(&s, gradients, t, 0), C, row_of(&s, activations, t - 1, 0), 3 * C, s.span,
                             d_filters + (size_t)first_k * C * 3);
        }
    }
    free_groups(packed, s.groups);
    free(activations);
    free(gradients);
    free(result);
    return failed;
}
