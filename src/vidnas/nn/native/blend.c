/* 1 x 1 convolutions of several inputs side by side, and the covariances by which nn/blend.py norms them. */
#include "kernels.h"

/* Several arrays of the same frames, read as one of J channels: each through relu where `rectified`, less `mean`. What
 * is read are `pixels` of a frame, every stride-th of every stride-th row, `thin_width` in a row. */
typedef struct {
    const real *const *arrays;
    const intptr_t *channels, *rectified;
    const real *mean;
    int num, frames, width, stride;
    size_t plane;
    int thin_width, J, together, span;
    size_t pixels;
} Inputs;

/* An item is a frame or, of small ones, as many as fill the vectors of an inner loop. */
static int frames_together(int pixels) { return larger(1, MANY_VECS * LANES / pixels); }

int blend_items(int frames, int pixels) { return (frames + frames_together(pixels) - 1) / frames_together(pixels); }

/* `others`: rows of scratch beside those of the J channels. */
static Inputs inputs_of(const real *const *arrays, const intptr_t *channels, const intptr_t *rectified,
                        const real *mean, int num, int frames, int height, int width, int stride, int others)
{
    Inputs in = {arrays, channels, rectified, mean, num, frames, width, stride, (size_t)height * width};
    in.thin_width = (width + stride - 1) / stride;
    in.pixels = (size_t)((height + stride - 1) / stride) * in.thin_width;
    in.together = frames_together(in.pixels);
    for (int n = 0; n < num; n++) in.J += channels[n];
    int fitting = SCRATCH_BYTES / (int)sizeof(real) / (2 * (in.J + others));
    in.span = smaller(larger(smaller(fitting, 2048) / SPAN, 1) * SPAN, round_up(in.together * in.pixels, SPAN));
    return in;
}

/* `count` pixels of each of `frames` frames: in scratch they lie one behind the other. */
typedef struct {
    int frame, frames, start, count, length;
} Part;

/* Of an item that part which begins with pixel `start`. */
static Part part_of(const Inputs *in, int item, int start)
{
    int frame = item * in->together, frames = smaller(in->together, in->frames - frame);
    int count = smaller(in->span, (int)in->pixels - start);
    return (Part){frame, frames, start, count, frames * count};
}

/* Where a part's pixels of frame f begin in an array of so many channels. */
static size_t place_of(const Inputs *in, Part part, int f, int channels, int channel)
{
    return ((size_t)(part.frame + f) * channels + channel) * in->pixels + part.start;
}

/* In which plane of an input a part's frame f is. */
static size_t plane_of(const Inputs *in, Part part, int f, int channels, int channel)
{
    return ((size_t)(part.frame + f) * channels + channel) * in->plane;
}

/* Pixels of one row, `stride` apart. */
typedef struct {
    size_t first;
    int count;
} Run;

/* Of the pixels of a plane that are read those from a part's p-th on which lie in its row. */
static Run run_of(const Inputs *in, Part part, int p)
{
    int row = (part.start + p) / in->thin_width, column = (part.start + p) % in->thin_width;
    return (Run){((size_t)row * in->width + column) * in->stride, smaller(in->thin_width - column, part.count - p)};
}

static void fill_channels(const Inputs *in, Part part, real *scratch)
{
    for (int n = 0, j = 0; n < in->num; n++)
        for (int c = 0; c < in->channels[n]; c++, j++) {
            real *to = scratch + (size_t)j * in->span, mean = in->mean ? in->mean[j] : 0;
            for (int f = 0; f < part.frames; f++, to += part.count) {
                const real *from = in->arrays[n] + plane_of(in, part, f, in->channels[n], c) + part.start;
                if (in->stride > 1) {
                    const real *plane = from - part.start;
                    for (int p = 0; p < part.count;) {
                        Run run = run_of(in, part, p);
                        for (int i = 0; i < run.count; i++) to[p++] = plane[run.first + i * in->stride];
                    }
                    from = to;
                }
                if (in->rectified[n]) for (int p = 0; p < part.count; p++) to[p] = relu(from[p]) - mean;
                else for (int p = 0; p < part.count; p++) to[p] = from[p] - mean;
            }
            memset(to, 0, (in->span - part.length) * sizeof(real));
        }
}

/* Adds the sums of the J channels and those of the products of all pairs. */
static int covariance(const real *const *arrays, const intptr_t *channels, const intptr_t *rectified, const real *mean,
                      int num, double *sums, double *products, int frames, int pixels, int first, int last)
{
    Inputs in = inputs_of(arrays, channels, rectified, mean, num, frames, 1, pixels, 1, 0);
    real *scratch = zeros((size_t)in.J * in.span);
    for (int item = first; item < last && scratch; item++)
        for (int start = 0; start < pixels; start += in.span) {
            double unused = 0;
            Part part = part_of(&in, item, start);
            fill_channels(&in, part, scratch);
            for (int j = 0; j < in.J; j++) add_moments(scratch + (size_t)j * in.span, part.length, sums + j, &unused);
            add_products(scratch, in.J, scratch, in.J, in.span, part.length, products, in.J);
        }
    for (int i = 0; i < in.J; i++)
        for (int j = 0; j < i; j++) products[i * in.J + j] = products[j * in.J + i];
    int failed = !scratch;
    free(scratch);
    return failed;
}

/* matrix (O, J) x inputs + bias, if there is one: C of the O channels into each out, plus what is in its base unless
 * that is NULL; both may be the same. Adds the results' moments, without bias and base, unless `sums` is NULL. */
static int blend_forward(const real *const *arrays, const intptr_t *channels, const intptr_t *rectified,
                         const real *mean, int num, const real *matrix, const real *bias, const real *const *base,
                         real *const *out, double *sums, double *square_sums, int O, int C, int frames, int height,
                         int width, int stride, int first, int last)
{
    int size = block_size(O);
    Inputs in = inputs_of(arrays, channels, rectified, mean, num, frames, height, width, stride, size);
    int pixels = in.pixels;
    real *packed = pack(matrix, O, in.J, 1, 0);
    real *scratch = zeros((size_t)in.J * in.span), *result = zeros(size * in.span);
    int failed = !packed || !scratch || !result;
    for (int item = first; item < last && !failed; item++)
        for (int start = 0; start < pixels; start += in.span) {
            Part part = part_of(&in, item, start);
            fill_channels(&in, part, scratch);
            for (int o = 0; o < O; o++) {
                if (o % size == 0)
                    multiply(scratch, in.J, in.span, packed + (size_t)o * in.J, part.length, result, size);
                const real *from = result + o % size * in.span, *own = base[o / C], constant = bias ? bias[o] : 0;
                if (sums) add_moments(from, part.length, sums + o, square_sums + o);
                for (int f = 0; f < part.frames; f++, from += part.count) {
                    size_t at = place_of(&in, part, f, C, o % C);
                    real *to = out[o / C] + at;
                    if (own) for (int p = 0; p < part.count; p++) to[p] = own[at + p] + from[p] + constant;
                    else for (int p = 0; p < part.count; p++) to[p] = from[p] + constant;
                }
            }
        }
    free(packed);
    free(scratch);
    free(result);
    return failed;
}

/* Gradients of inputs: matrix (J, O) x dy + shift or, where there is no g, matrix (J, J) x inputs + shift; where an
 * input was rectified, only where it was positive. Each g has C of the O channels. dy is g or, where there is a y,
 * y_scale g + y_slope y + y_shift by channel. Adds to d_matrix (O, J) the products of dy and inputs unless that is
 * NULL. */
static int blend_backward(const real *const *arrays, const intptr_t *channels, const intptr_t *rectified,
                          const real *mean, int num, const real *const *g, const real *y, const real *y_scale,
                          const real *y_slope, const real *y_shift, const real *matrix, const real *shift,
                          real *const *d_arrays, double *d_matrix, int O, int C, int frames, int pixels, int first,
                          int last)
{
    int J = 0;
    for (int n = 0; n < num; n++) J += channels[n];
    int size = block_size(J), rows = g ? O : J;
    Inputs in = inputs_of(arrays, channels, rectified, mean, num, frames, 1, pixels, 1, O + size);
    real *packed = pack(matrix, J, rows, 1, 0), *result = zeros(size * in.span);
    real *scratch = zeros((size_t)(O + J) * in.span), *inputs = scratch ? scratch + (size_t)O * in.span : NULL;
    int failed = !packed || !scratch || !result;
    for (int item = first; item < last && !failed; item++)
        for (int start = 0; start < pixels; start += in.span) {
            Part part = part_of(&in, item, start);
            for (int o = 0; o < O; o++) {
                real *restrict to = scratch + (size_t)o * in.span;
                for (int f = 0; f < part.frames; f++, to += part.count) {
                    const real *from = g[o / C] + place_of(&in, part, f, C, o % C);
                    const real *values = y ? y + place_of(&in, part, f, O, o) : NULL;
                    if (!y) memcpy(to, from, part.count * sizeof(real));
                    for (int p = 0; y && p < part.count; p++)
                        to[p] = y_scale[o] * from[p] + y_slope[o] * values[p] + y_shift[o];
                }
                memset(to, 0, (in.span - part.length) * sizeof(real));
            }
            fill_channels(&in, part, inputs);
            for (int n = 0, j = 0; n < num; n++)
                for (int c = 0; c < channels[n]; c++, j++) {
                    if (j % size == 0)
                        multiply(scratch, rows, in.span, packed + (size_t)j * rows, part.length, result, size);
                    const real *from = result + j % size * in.span, constant = shift[j];
                    for (int f = 0; f < part.frames; f++, from += part.count) {
                        size_t at = place_of(&in, part, f, channels[n], c);
                        const real *x = arrays[n] + at;
                        real *restrict to = d_arrays[n] + at;
                        for (int p = 0; p < part.count; p++) to[p] = from[p] + constant;
                        for (int p = 0; rectified[n] && p < part.count; p++) to[p] = x[p] > 0 ? to[p] : 0;
                    }
                }
            if (d_matrix) add_products(scratch, O, inputs, J, in.span, part.length, d_matrix, J);
        }
    free(packed);
    free(scratch);
    free(result);
    return failed;
}
