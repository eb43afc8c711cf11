/* The sum over the branches that lead to one node, their last norm applied on the way. */
#include "vectors.h"

enum { STRIP = 1024 };

/* out = constant + the sum over groups of weight y, group j into the channels from slot[j] C of out's G. An item
 * is a frame. */
int mix_forward(const real *y, const real *weight, const real *constant, const int *slot, real *out, int C, int K,
                 int G, int pixels, int first, int last)
{
    for (int item = first; item < last; item++)
        for (int channel = 0; channel < G; channel++)
            for (int start = 0; start < pixels; start += STRIP) {
                int count = smaller(STRIP, pixels - start);
                real *restrict to = out + ((size_t)item * G + channel) * pixels + start, own = constant[channel];
                for (int p = 0; p < count; p++) to[p] = own;
                for (int group = 0; group < K / C; group++) {
                    if (slot[group] != channel / C) continue;
                    int k = group * C + channel % C;
                    const real *from = y + ((size_t)item * K + k) * pixels + start;
                    real factor = weight[k];
                    for (int p = 0; p < count; p++) to[p] += factor * from[p];
                }
            }
    return 0;
}

/* Adds the sums of g y for the K channels of y, and those of g for its own G. An item is a frame. */
int mix_backward(const real *y, const real *g, const int *slot, double *product_sums, double *sums, int C, int K,
                  int G, int pixels, int first, int last)
{
    for (int item = first; item < last; item++) {
        for (int channel = 0; channel < G; channel++) {
            double unused = 0;
            add_moments(g + ((size_t)item * G + channel) * pixels, pixels, sums + channel, &unused);
        }
        for (int k = 0; k < K; k++) {
            const real *a = y + ((size_t)item * K + k) * pixels;
            const real *b = g + ((size_t)item * G + slot[k / C] * C + k % C) * pixels;
            for (int start = 0; start < pixels; start += STRIP) {
                real sum = 0;
                for (int p = start; p < smaller(start + STRIP, pixels); p++) sum += a[p] * b[p];
                product_sums[k] += sum;
            }
        }
    }
    return 0;
}
