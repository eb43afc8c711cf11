/* The sum over the branches that lead to one node, their last norm applied on the way. */
#include "kernels.h"

enum { STRIP = 1024 };

/* out[s] = base[s] + constant + the sum over the groups j with slot[j] = s of weight y, where base[s] may be NULL. Each
 * of the S outs has C channels. An item is a frame. */
static int mix_forward(const real *y, const real *weight, const real *constant, const int *slot, const real *const *base,
                real *const *out, int C, int K, int S, int pixels, int first, int last)
{
    for (int item = first; item < last; item++)
        for (int channel = 0; channel < S * C; channel++)
            for (int start = 0; start < pixels; start += STRIP) {
                int count = smaller(STRIP, pixels - start), s = channel / C;
                size_t at = ((size_t)item * C + channel % C) * pixels + start;
                real *restrict to = out[s] + at, own = constant[channel];
                if (base[s]) for (int p = 0; p < count; p++) to[p] = own + base[s][at + p];
                else for (int p = 0; p < count; p++) to[p] = own;
                for (int group = 0; group < K / C; group++) {
                    if (slot[group] != s) continue;
                    int k = group * C + channel % C;
                    const real *from = y + ((size_t)item * K + k) * pixels + start;
                    real factor = weight[k];
                    for (int p = 0; p < count; p++) to[p] += factor * from[p];
                }
            }
    return 0;
}

/* Adds the sums of g y for the K channels of y, and those of g for the S C channels of all g. An item is a frame. */
static int mix_backward(const real *y, const real *const *g, const int *slot, double *product_sums, double *sums, int C, int K,
                 int S, int pixels, int first, int last)
{
    for (int item = first; item < last; item++) {
        for (int channel = 0; channel < S * C; channel++) {
            double unused = 0;
            add_moments(g[channel / C] + ((size_t)item * C + channel % C) * pixels, pixels, sums + channel, &unused);
        }
        for (int k = 0; k < K; k++) {
            const real *a = y + ((size_t)item * K + k) * pixels;
            const real *b = g[slot[k / C]] + ((size_t)item * C + k % C) * pixels;
            for (int start = 0; start < pixels; start += STRIP) {
                real sum = 0;
                for (int p = start; p < smaller(start + STRIP, pixels); p++) sum += a[p] * b[p];
                product_sums[k] += sum;
            }
        }
    }
    return 0;
}
