/* The kernels that Python calls, each declared once: C compiles this file, and calls.py reads it, to check what it
 * gives them and to write what spreads an array of arguments over a kernel's parameters.
 *
 * A kernel ends with `int first, int last`, its items; the other functions take numbers alone. To Python a `real *` is
 * a tensor, a `real *const *` several, an `intptr_t *` several whole numbers, and a `double *` is where each thread
 * adds up numbers of its own. Only what is OR_NULL may be missing. */
#pragma once
#include "vectors.h"

#define OR_NULL

/* spatial.c */
int spatial_items(int frames, int channels, int height, int width, int dilation);
static int spatial_forward(const real *x, const real *filters, const real *OR_NULL bias, real *z,
                           double *OR_NULL sums, double *OR_NULL square_sums, int frames, int C, int K, int k_first,
                           int K_part, int height, int width, int dilation, int first, int last);
static int spatial_backward(const real *x, const real *filters, const real *z, const real *g, const real *scale,
                            const real *slope, const real *shift, real *dx, int add, double *OR_NULL d_filters,
                            int frames, int C, int K, int k_first, int K_part, int height, int width, int dilation,
                            int first, int last);

/* temporal.c */
int num_spans(int T, int C, int pixels);
static int temporal_forward(const real *z, const real *scale, const real *shift, const real *filters, real *y,
                            double *sums, double *square_sums, int T, int C, int K, int pixels, int first, int last);
static int temporal_add(const real *z, const real *filters, const real *bias, const intptr_t *slot, real *const *out,
                        int T, int C, int K, int pixels, int first, int last);
static int temporal_backward(const real *z, const real *scale, const real *shift, const real *filters, const real *y,
                             const real *const *g, const intptr_t *slot, const real *y_scale, const real *y_slope,
                             const real *y_shift, real *dz, double *sums, double *product_sums,
                             double *OR_NULL d_filters, int T, int C, int K, int pixels, int first, int last);

/* blend.c */
int blend_items(int frames, int pixels);
static int covariance(const real *const *arrays, const intptr_t *channels, const intptr_t *rectified, const real *mean,
                      int num, double *sums, double *products, int frames, int pixels, int first, int last);
static int blend_forward(const real *const *arrays, const intptr_t *channels, const intptr_t *rectified,
                         const real *OR_NULL mean, int num, const real *matrix, const real *OR_NULL bias,
                         const real *OR_NULL const *base, real *const *out, double *OR_NULL sums,
                         double *OR_NULL square_sums, int O, int C, int frames, int height, int width, int stride,
                         int first, int last);
static int blend_backward(const real *const *arrays, const intptr_t *channels, const intptr_t *rectified,
                          const real *OR_NULL mean, int num, const real *const *OR_NULL g, const real *OR_NULL y,
                          const real *OR_NULL y_scale, const real *OR_NULL y_slope, const real *OR_NULL y_shift,
                          const real *matrix, const real *shift, real *const *d_arrays, double *OR_NULL d_matrix,
                          int O, int C, int frames, int pixels, int first, int last);

/* mix.c */
static int mix_forward(const real *y, const real *scale, const real *shift, const intptr_t *slot,
                       const real *OR_NULL const *base, real *const *out, int C, int K, int S, int pixels, int first,
                       int last);
static int mix_backward(const real *y, const real *const *g, const intptr_t *slot, double *sums, double *product_sums,
                        int C, int K, int pixels, int first, int last);
static int channel_sums(const real *const *arrays, double *sums, int num, int C, int pixels, int first, int last);

/* norm.c */
static int norm_forward(const precise *sums, const real *weight, const real *bias, precise *saved, real *scale,
                        real *shift, real *mean, real *var, int threads, int count, int K, int first, int last);
static int norm_backward(const precise *sums, const precise *saved, real *d_weight, real *d_bias, real *scale,
                         real *slope, real *shift, int threads, int count, int K, int first, int last);
static int map_norms(const precise *covariance, const real *const *weights, const real *const *matrices,
                     const intptr_t *channels, int num, real *normed, precise *inv_std, int J, int first, int last);
static int map_norms_backward(const precise *covariance, const real *const *weights, const real *const *matrices,
                              const intptr_t *channels, int num, const precise *inv_std, const real *g,
                              real *const *d_weights, real *const *d_matrices, double *d_covariance, int J, int first,
                              int last);
int sum_items(int num);
static int sum_up(const precise *sums, real *total, int threads, int num, int first, int last);

/* pool.c */
static int thin(const real *const *x, real *const *y, const intptr_t *channels, int num, int height, int width,
                int stride, int gradient, int first, int last);
static int avg_pool(const real *x, real *y, int T, int C, int height, int width, int gradient, int first, int last);
static int max_pool(const real *x, real *y, int T, int C, int height, int width, int first, int last);
static int max_pool_forward(const real *x, real *y, uint8_t *winner, int T, int C, int height, int width, int first,
                            int last);
static int max_pool_backward(const real *g, const uint8_t *winner, real *dx, int T, int C, int height, int width,
                             int first, int last);
