/* Batch norms by channel, worked out in double precision from the sums that the other kernels have added up: for each
 * thread those of K channels, then K of products. All K are one item. */
#include "kernels.h"

#define EPS 1e-5 /* norms.py */

static double sum_over(const precise *sums, int threads, int stride)
{
    double total = 0;
    for (int thread = 0; thread < threads; thread++) total += sums[(size_t)thread * stride];
    return total;
}

/* From the sums and square sums of `count` values: scale and shift, by which a value is normed, mean and unbiased
 * variance, and what the gradient needs: mean, 1 / standard deviation and scale. */
static int norm_forward(const precise *sums, const real *weight, const real *bias, precise *saved, real *scale,
                        real *shift, real *mean, real *var, int threads, int count, int K, int first, int last)
{
    for (int k = 0; k < K && first < last; k++) {
        double own = sum_over(sums + k, threads, 2 * K) / count;
        double square = sum_over(sums + K + k, threads, 2 * K) / count - own * own;
        double variance = square < 0 ? 0 : square; /* NaN stays */
        double inv_std = 1 / __builtin_sqrt(variance + EPS), factor = weight[k] * inv_std;
        saved[k] = own, saved[K + k] = inv_std, saved[2 * K + k] = factor;
        scale[k] = factor, shift[k] = bias[k] - own * factor;
        mean[k] = own, var[k] = variance * count / larger(count - 1, 1);
    }
    return 0;
}

/* From the sums of g and of g x value, where g is the gradient behind the norm: those in weight and bias, and the one
 * in a value as scale g + slope value + shift. */
static int norm_backward(const precise *sums, const precise *saved, real *d_weight, real *d_bias, real *scale,
                         real *slope, real *shift, int threads, int count, int K, int first, int last)
{
    for (int k = 0; k < K && first < last; k++) {
        double mean = saved[k], inv_std = saved[K + k], factor = saved[2 * K + k];
        double sum = sum_over(sums + k, threads, 2 * K), product_sum = sum_over(sums + K + k, threads, 2 * K);
        double of_weight = inv_std * (product_sum - mean * sum), of_value = -factor * inv_std * of_weight / count;
        d_weight[k] = of_weight, d_bias[k] = sum;
        scale[k] = factor, slope[k] = of_value, shift[k] = -factor * sum / count - of_value * mean;
    }
    return 0;
}

enum { TOGETHER = 4096 };

int sum_items(int num) { return (num + TOGETHER - 1) / TOGETHER; }

/* `num` totals over threads; an item is TOGETHER of them. */
static int sum_up(const precise *sums, real *total, int threads, int num, int first, int last)
{
    for (int n = first * TOGETHER; n < smaller(last * TOGETHER, num); n++) total[n] = sum_over(sums + n, threads, num);
    return 0;
}
