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

/* The norms behind `num` linear maps side by side, each of its own `channels` of the J that the covariance is of; an
 * item is an output, a row of every map. Writes the maps with the norms in them as one matrix (outputs, J), and by
 * output and map 1 / standard deviation. */
static int map_norms(const precise *covariance, const real *const *weights, const real *const *matrices,
                     const intptr_t *channels, int num, real *normed, precise *inv_std, int J, int first, int last)
{
    for (int o = first; o < last; o++)
        for (int n = 0, j = 0; n < num; j += channels[n++]) {
            int C = channels[n];
            const real *row = matrices[n] + (size_t)o * C;
            double variance = 0;
            for (int a = 0; a < C; a++) {
                const precise *line = covariance + (size_t)(j + a) * J + j;
                double sum = 0;
                for (int b = 0; b < C; b++) sum += line[b] * row[b];
                variance += sum * row[a];
            }
            double inv = inv_std[(size_t)o * num + n] = 1 / __builtin_sqrt(variance + EPS), scale = weights[n][o] * inv;
            for (int a = 0; a < C; a++) normed[(size_t)o * J + j + a] = scale * row[a];
        }
    return 0;
}

/* The gradients of map_norms from g, that in `normed`; adds to that in the covariance. */
static int map_norms_backward(const precise *covariance, const real *const *weights, const real *const *matrices,
                              const intptr_t *channels, int num, const precise *inv_std, const real *g,
                              real *const *d_weights, real *const *d_matrices, double *d_covariance, int J, int first,
                              int last)
{
    for (int o = first; o < last; o++)
        for (int n = 0, j = 0; n < num; j += channels[n++]) {
            int C = channels[n];
            const real *row = matrices[n] + (size_t)o * C, *own = g + (size_t)o * J + j;
            real *d_row = d_matrices[n] + (size_t)o * C;
            double inv = inv_std[(size_t)o * num + n], weight = weights[n][o], product = 0;
            for (int a = 0; a < C; a++) product += (double)own[a] * row[a];
            d_weights[n][o] = inv * product;
            double of_variance = -0.5 * inv * inv * inv * weight * product;
            for (int a = 0; a < C; a++) {
                const precise *line = covariance + (size_t)(j + a) * J + j;
                double *d_line = d_covariance + (size_t)(j + a) * J + j, sum = 0;
                for (int b = 0; b < C; b++) {
                    sum += line[b] * row[b];
                    d_line[b] += of_variance * row[a] * row[b];
                }
                d_row[a] = weight * inv * own[a] + 2 * of_variance * sum; /* covariances are symmetric */
            }
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
