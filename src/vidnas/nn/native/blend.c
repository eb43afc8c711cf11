/* 1 x 1 convolutions of several inputs side by side, and the covariances by which nn/blend.py norms them. */
#include "kernels.h"

/* Several arrays of the same frames, read as one of J channels: each through relu where `rectified`, less `mean`. */
typedef struct {
    const real *const *arrays;
    const int *channels, *rectified;
    const real *mean;
    int num, J;
    size_t pixels;
} Inputs;

static Inputs inputs_of(const real *const *arrays, const int *channels, const int *rectified, const real *mean, int num,
                        int pixels)
{
    Inputs in = {arrays, channels, rectified, mean, num, 0, pixels};
    for (int n = 0; n < num; n++) in.J += channels[n];
    return in;
}

static void fill_channels(const Inputs *in, int frame, int start, int count, int span, real *scratch)
{
    for (int n = 0, j = 0; n < in->num; n++)
        for (int c = 0; c < in->channels[n]; c++, j++) {
            const real *from = in->arrays[n] + ((size_t)frame * in->channels[n] + c) * in->pixels + start;
            real *restrict to = scratch + (size_t)j * span, mean = in->mean ? in->mean[j] : 0;
            if (in->rectified[n]) for (int p = 0; p < count; p++) to[p] = relu(from[p]) - mean;
            else for (int p = 0; p < count; p++) to[p] = from[p] - mean;
            memset(to + count, 0, (span - count) * sizeof(real));
        }
}

/* Adds the sums of the J channels and those of the products of all pairs. An item is a frame. */
static int covariance(const real *const *arrays, const int *channels, const int *rectified, const real *mean, int num,
               double *sums, double *products, int pixels, int first, int last)
{
    Inputs in = inputs_of(arrays, channels, rectified, mean, num, pixels);
    int span = span_of(0, in.J);
    real *scratch = zeros((size_t)in.J * span);
    for (int item = first; item < last && scratch; item++)
        for (int start = 0; start < pixels; start += span) {
            double unused = 0;
            fill_channels(&in, item, start, smaller(span, pixels - start), span, scratch);
            for (int j = 0; j < in.J; j++) add_moments(scratch + (size_t)j * span, span, sums + j, &unused);
            add_products(scratch, in.J, scratch, in.J, span, products);
        }
    int failed = !scratch;
    free(scratch);
    return failed;
}

/* matrix (O, J) x inputs: C of the O channels into each out, plus what is in its base unless that is NULL. Adds
 * the results' moments unless `sums` is NULL. An item is a frame. */
static int blend_forward(const real *const *arrays, const int *channels, const int *rectified, const real *mean, int num,
                  const real *matrix, const real *const *base, real *const *out, double *sums, double *square_sums,
                  int O, int C, int pixels, int first, int last)
{
    Inputs in = inputs_of(arrays, channels, rectified, mean, num, pixels);
    int size = block_size(O), span = span_of(0, in.J + size);
    real *packed = pack(matrix, O, in.J, 1, 1, 0);
    real *scratch = zeros((size_t)in.J * span), *result = zeros(size * span);
    int failed = !packed || !scratch || !result;
    for (int item = first; item < last && !failed; item++)
        for (int start = 0; start < pixels; start += span) {
            int count = smaller(span, pixels - start);
            fill_channels(&in, item, start, count, span, scratch);
            for (int o = 0; o < O; o++) {
                if (o % size == 0) multiply(scratch, in.J, span, packed + (size_t)o * in.J, count, result, size);
                size_t at = ((size_t)item * C + o % C) * pixels + start;
                const real *from = result + o % size * span, *own = base[o / C];
                real *restrict to = out[o / C] + at;
                if (own) for (int p = 0; p < count; p++) to[p] = own[at + p] + from[p];
                else memcpy(to, from, count * sizeof(real));
                if (sums) add_moments(from, count, sums + o, square_sums + o);
            }
        }
    free(packed);
    free(scratch);
    free(result);
    return failed;
}

/* Gradients of inputs: matrix (J, O) x dy + shift or, where there is no g, matrix (J, J) x inputs + shift; where an
 * input was rectified, only where it was positive. Each g has C of the O channels. dy is g or, where there is a y,
 * y_scale g + y_slope y + y_shift by channel. Adds to d_matrix (O, J) the products of dy and inputs unless that is NULL.
 * An item is a frame. */
static int blend_backward(const real *const *arrays, const int *channels, const int *rectified, const real *mean, int num,
                   const real *const *g, const real *y, const real *y_scale, const real *y_slope, const real *y_shift,
                   const real *matrix, const real *shift, real *const *d_arrays, double *d_matrix, int O, int C,
                   int pixels, int first, int last)
{
    Inputs in = inputs_of(arrays, channels, rectified, mean, num, pixels);
    int size = block_size(in.J), span = span_of(0, in.J + O + size), rows = g ? O : in.J;
    real *packed = pack(matrix, in.J, rows, 1, 1, 0), *result = zeros(size * span);
    real *scratch = zeros((size_t)(O + in.J) * span);
    int failed = !packed || !scratch || !result;
    for (int item = first; item < last && !failed; item++)
        for (int start = 0; start < pixels; start += span) {
            int count = smaller(span, pixels - start);
            for (int o = 0; o < O; o++) {
                const real *from = g[o / C] + ((size_t)item * C + o % C) * pixels + start;
                real *restrict to = scratch + (size_t)o * span;
                copy_padded(from, count, span, to);
                if (!y) continue;
                const real *values = y + ((size_t)item * O + o) * pixels + start;
                for (int p = 0; p < count; p++) to[p] = y_scale[o] * to[p] + y_slope[o] * values[p] + y_shift[o];
            }
            fill_channels(&in, item, start, count, span, scratch + (size_t)O * span);
            for (int n = 0, j = 0; n < num; n++)
                for (int c = 0; c < channels[n]; c++, j++) {
                    size_t at = ((size_t)item * channels[n] + c) * pixels + start;
                    if (j % size == 0) multiply(scratch, rows, span, packed + (size_t)j * rows, count, result, size);
                    const real *from = result + j % size * span, *x = arrays[n] + at;
                    real *restrict to = d_arrays[n] + at, constant = shift[j];
                    if (rectified[n]) for (int p = 0; p < count; p++) to[p] = x[p] > 0 ? from[p] + constant : 0;
                    else for (int p = 0; p < count; p++) to[p] = from[p] + constant;
                }
            if (d_matrix) add_products(scratch, O, scratch + (size_t)O * span, in.J, span, d_matrix);
        }
    free(packed);
    free(scratch);
    free(result);
    return failed;
}
