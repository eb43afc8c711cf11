/* The temporal stage: each branch's own convolution over three frames. */
#include "kernels.h"

/* What is alike for all items: clips of T frames, of K channels of `pixels`, in groups of C. An item is a span of
 * pixels of one clip.
 *
 * Maps of at least a vector are read where they lie: a vector of pixels slides over the frames, and what is read of a
 * frame is added at once to the sums of the three frames that it counts for, which stay in registers. Smaller maps
 * go through scratch, and so do all for the gradients of filters. There a channel is a row of
 * [T + 2][pixels of the item] numbers, zeros in the frames around and behind them. So the taps of an output lie a
 * frame apart, and vectors run on from frame to frame. */
typedef struct {
    int T, C, K, pixels, span, groups, size, slides;
    size_t frame, row, result_row;
} Stage;

/* Pixels at which all frames of C channels, and of some results, fit into the cache; the last span of a plane is a
 * vector at least, where the plane is. */
static int span_of(int T, int C, int pixels)
{
    int fitting = SCRATCH_BYTES / (int)sizeof(real) / ((T + 2) * C + T * block_size(C));
    int span = larger(fitting / LANES, 1) * LANES;
    while (span < pixels && pixels % span && pixels % span < LANES) span += LANES;
    return smaller(pixels, span);
}

static Stage stage_of(int T, int C, int K, int pixels)
{
    int span = span_of(T, C, pixels);
    return (Stage){T, C, K, pixels, span, K / C, block_size(C), pixels >= LANES, (size_t)K * pixels,
                   (size_t)(T + 2) * span + SPAN, (size_t)T * span + SPAN};
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

/* What slides reads: C channels of each frame as they are, relu(scale v + shift), or the gradient in front of a norm,
 * scale v + slope y + shift. */
typedef struct {
    enum { PLAIN, ACTIVATIONS, GRADIENTS } kind;
    const real *values, *y, *scale, *slope, *shift;
    size_t frame, y_frame, plane;
} Reader;

/* What becomes of the results, and the sums of them: they are written, with their squares summed up; or where the
 * activation of z was positive, with the products with z summed up; or they and a bias are added to what is there. */
typedef struct {
    enum { MOMENTS, THROUGH_RELU, ADDED } kind;
    real *to;
    const real *z, *scale, *shift;
    size_t frame, plane;
    double *sums, *products;
} Writer;

/* Memory is asked for so many numbers ahead, for reading and for writing: here nothing runs along rows that are long
 * enough for the processor to see it coming. */
enum { AHEAD = 192 / sizeof(real) };
typedef __typeof__((vec){0} < (vec){0}) mask;
#define INLINED static inline __attribute__((always_inline))

INLINED vec where(mask is, vec v) { return (vec)(is & (mask)v); }

INLINED vec read_pixels(const Reader *r, int t, int c, int p)
{
    const real *from = r->values + t * r->frame + c * r->plane + p;
    __builtin_prefetch(from + AHEAD);
    if (r->kind == PLAIN) return load(from);
    vec v = r->scale[c] * load(from) + r->shift[c];
    if (r->kind == ACTIVATIONS) return where(~(v < (vec){0}), v);
    const real *y = r->y + t * r->y_frame + c * r->plane + p;
    __builtin_prefetch(y + AHEAD);
    return v + r->slope[c] * load(y);
}

/* Frame t of channel c, as much of the vector as is `new`; adds to the sums. */
INLINED void write_pixels(const Writer *w, int t, int c, int p, vec v, mask new, vec *sum, vec *product)
{
    size_t at = t * w->frame + c * w->plane + p;
    __builtin_prefetch(w->to + at + AHEAD, 1);
    if (w->kind == ADDED) {
        store(w->to + at, load(w->to + at) + where(new, v + w->shift[c]));
        return;
    }
    vec other = v;
    if (w->kind == THROUGH_RELU) {
        __builtin_prefetch(w->z + at + AHEAD);
        other = load(w->z + at);
        v = where(w->scale[c] * other + w->shift[c] > (vec){0}, v);
    }
    store(w->to + at, v);
    v = where(new, v);
    *sum += v;
    *product += v * other;
}

/* The vector of pixels at p of all frames, of `outputs` channels. */
INLINED void slide(const Stage *s, const Reader *r, const real *packed, const Writer *w, int outputs, int p, mask new,
                   vec *sums, vec *products, int size)
{
    vec acc[3][MANY]; /* of the frame before, this frame and the next */
    for (int k = 0; k < 3; k++)
        for (int o = 0; o < size; o++) acc[k][o] = (vec){0};
    for (int t = 0; t <= s->T; t++) {
        const real *weight = packed;
        for (int c = 0; t < s->T && c < s->C; c++, weight += 3 * size) {
            vec v = read_pixels(r, t, c, p);
            for (int k = 0; k < 3; k++)
                for (int o = 0; o < size; o++) acc[k][o] += weight[(2 - k) * size + o] * v;
        }
        for (int o = 0; o < size; o++) {
            if (t > 0 && o < outputs) write_pixels(w, t - 1, o, p, acc[0][o], new, sums + o, products + o);
            acc[0][o] = acc[1][o];
            acc[1][o] = acc[2][o];
            acc[2][o] = (vec){0};
        }
    }
}

/* `count` pixels, a vector at least: the last vector goes back over pixels that the one before has done. */
INLINED void slide_along(const Stage *s, const Reader *r, const real *packed, const Writer *w, int outputs, int count,
                         int size)
{
    enum { TOGETHER = 4 }; /* vectors of which sums are added up in `real` before double takes over */
    real number[LANES];
    for (int lane = 0; lane < LANES; lane++) number[lane] = lane;
    for (int start = 0; start < count; start += TOGETHER * LANES) {
        vec sums[MANY] = {{0}}, products[MANY] = {{0}};
        for (int p = start; p < smaller(start + TOGETHER * LANES, count); p += LANES) {
            int done = larger(p + LANES - count, 0);
            slide(s, r, packed, w, outputs, p - done, load(number) >= (vec){0} + (real)done, sums, products, size);
        }
        for (int o = 0; w->kind != ADDED && o < outputs; o++) {
            w->sums[o] += sum_of(sums[o]);
            w->products[o] += sum_of(products[o]);
        }
    }
}

/* A block of channels from o on; what is inlined knows which kinds there are. */
static void slide_block(const Stage *s, Reader r, const real *packed, Writer w, int o, int count)
{
    const real *own = packed + (size_t)o * s->C * 3;
    int outputs = smaller(s->size, s->C - o);
    w.to += o * w.plane;
    if (w.z) w.z += o * w.plane;
    if (w.scale) w.scale += o;
    if (w.shift) w.shift += o;
    if (w.sums) w.sums += o, w.products += o;
#define SLIDE(reading, writing, size) \
    { r.kind = reading, w.kind = writing; slide_along(s, &r, own, &w, outputs, count, size); }
#define SLIDE_SIZED(reading, writing) \
    { if (s->size == FEW) SLIDE(reading, writing, FEW) else SLIDE(reading, writing, MANY) }
    if (w.kind == MOMENTS) SLIDE_SIZED(ACTIVATIONS, MOMENTS)
    else if (w.kind == THROUGH_RELU) SLIDE_SIZED(GRADIENTS, THROUGH_RELU)
    else SLIDE_SIZED(PLAIN, ADDED)
#undef SLIDE
#undef SLIDE_SIZED
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
            if (s.slides) {
                Reader r = {ACTIVATIONS, z + origin, NULL, scale + first_k, NULL, shift + first_k, s.frame, 0, pixels};
                Writer w = {MOMENTS, y + origin, NULL, NULL, NULL, s.frame, pixels, sums + first_k,
                            square_sums + first_k};
                for (int o = 0; o < C; o += s.size) slide_block(&s, r, packed[group], w, o, at.count);
                continue;
            }
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
            if (s.slides) {
                Reader r = {PLAIN, from, NULL, NULL, NULL, NULL, s.frame, 0, pixels};
                Writer w = {ADDED, to, NULL, NULL, bias + group * C, (size_t)C * pixels, pixels, NULL, NULL};
                for (int o = 0; o < C; o += s.size) slide_block(&s, r, packed[group], w, o, at.count);
                continue;
            }
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
            const real *own_g = g[slot[group]] + origin_of(&s, at, C, 0);
            if (s.slides) {
                Reader r = {GRADIENTS, own_g, y + origin, y_scale + first_k, y_slope + first_k, y_shift + first_k,
                            (size_t)C * pixels, s.frame, pixels};
                Writer w = {THROUGH_RELU, dz + origin, z + origin, scale + first_k, shift + first_k, s.frame, pixels,
                            sums + first_k, product_sums + first_k};
                for (int i = 0; i < C; i += s.size) slide_block(&s, r, packed[group], w, i, at.count);
                if (!d_filters) continue;
            }
            fill_activations(&s, z + origin, scale + first_k, shift + first_k, at.count, activations);
            fill_gradients(&s, own_g, (size_t)C * pixels, y + origin, y_scale + first_k, y_slope + first_k,
                           y_shift + first_k, at.count, gradients);
            for (int i = 0; i < C && !s.slides; i += s.size) {
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
