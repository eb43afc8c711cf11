/* The sum over the branches that lead to one node, their last norm applied on the way. */
#include "kernels.h"

enum { STRIP = 1024 };

/* out[s] = base[s] + the sum over the groups j with slot[j] = s of scale y + shift, where base[s] may be NULL. Each of
 * the S outs has C channels. An item is a frame. */
static int mix_forward(const real *y, const real *scale, const real *shift, const intptr_t *slot,
                       const real *const *base, real *const *out, int C, int K, int S, int pixels, int first, int last)
{
    for (int item = first; item < last; item++)
        for (int channel = 0; channel < S * C; channel++)
            for (int start = 0; start < pixels; start += STRIP) {
                int count = smaller(STRIP, pixels - start), s = channel / C;
                size_t at = ((size_t)item * C + channel % C) * pixels + start;
                real *restrict to = out[s] + at, constant = 0;
                for (int k = channel % C; k < K; k += C) constant += slot[k / C] == s ? shift[k] : 0;
                if (base[s]) for (int p = 0; p < count; p++) to[p] = constant + base[s][at + p];
                else for (int p = 0; p < count; p++) to[p] = constant;
                for (int k = channel % C; k < K; k += C) {
                    if (slot[k / C] != s) continue;
                    const real *from = y + ((size_t)item * K + k) * pixels + start;
                    real factor = scale[k];
                    for (int p = 0; p < count; p++) to[p] += factor * from[p];
                }
            }
    return 0;
}

/* Adds the sums of the C channels of each array. An item is a frame. */
static int channel_sums(const real *const *arrays, double *sums, int num, int C, int pixels, int first, int last)
{
    double unused = 0;
    for (int item = first; item < last; item++)
        for (int channel = 0; channel < num * C; channel++) {
            const real *plane = arrays[channel / C] + ((size_t)item * C + channel % C) * pixels;
            add_moments(plane, pixels, sums + channel, &unused);
        }
    return 0;
}

/* Adds by channel of y the sums of g and of g y, where g is its group's. An item is a frame. */
static int mix_backward(const real *y, const real *const *g, const intptr_t *slot, double *sums, double *product_sums,
                        int C, int K, int pixels, int first, int last)
{
    for (int item = first; item < last; item++)
        for (int k = 0; k < K; k++) {
            const real *value = y + ((size_t)item * K + k) * pixels;
            const real *gradient = g[slot[k / C]] + ((size_t)item * C + k % C) * pixels;
            for (int start = 0; start < pixels; start += STRIP) {
                real sum = 0, product_sum = 0;
                for (int p = start; p < smaller(start + STRIP, pixels); p++) {
                    sum += gradient[p];
                    product_sum += gradient[p] * value[p];
                }
                sums[k] += sum;
                product_sums[k] += product_sum;
            }
        }
    return 0;
}
