/* The spatial stage: 3 x 3 convolutions of single frames, seen through relu. */
#include "kernels.h"

/* What one item is: rows [top, top + rows) of a frame or, of small ones, `frames` whole frames. In scratch a frame of a
 * channel is rows + 2 dilation rows of width + 2 dilation pixels, zero around the frame, and frames lie one behind the
 * other. So the nine taps of an output pixel lie at fixed distances, and vectors run on over the ends of rows and of
 * frames; what comes out between them is left away. */
typedef struct {
    int height, width, dilation, rows, frames, pitch, frame, length;
    size_t plane;
    ptrdiff_t tap[TAPS];
} Block;

enum { SMALL_FRAME = 1024, FRAMES_TOGETHER = 4 };

static Block block_of(int channels, int height, int width, int dilation)
{
    Block b = {.height = height, .width = width, .dilation = dilation, .pitch = width + 2 * dilation};
    int fitting = SCRATCH_BYTES / (int)sizeof(real) / b.pitch / channels - 2 * dilation;
    b.rows = smaller(height, larger(fitting, 8));
    b.frame = (b.rows + 2 * dilation) * b.pitch;
    b.frames = b.rows == height ? larger(1, smaller(SMALL_FRAME / b.frame, FRAMES_TOGETHER)) : 1;
    b.length = b.frames * b.frame - 2 * dilation * b.pitch;
    b.plane = (size_t)b.frames * b.frame + SPAN + 2 * dilation; /* the last vectors begin behind the last row */
    for (int tap = 0; tap < TAPS; tap++) b.tap[tap] = (ptrdiff_t)(tap / 3 * b.pitch + tap % 3) * dilation;
    return b;
}

static int items_of(const Block *b, int frames)
{
    return (frames + b->frames - 1) / b->frames * ((b->height + b->rows - 1) / b->rows);
}

/* An item's first frame, number of frames, first row and number of rows. */
typedef struct {
    int frame, frames, top, rows;
} Item;

static Item item_of(const Block *b, int item, int frames)
{
    int blocks = (b->height + b->rows - 1) / b->rows, frame = item / blocks * b->frames, top = item % blocks * b->rows;
    return (Item){frame, smaller(b->frames, frames - frame), top, smaller(b->rows, b->height - top)};
}

int spatial_items(int frames, int channels, int height, int width, int dilation)
{
    Block b = block_of(channels, height, width, dilation);
    return items_of(&b, frames);
}

/* A channel of an item into scratch: through relu or, where z is not NULL, as the gradient in front of a norm. Its
 * frames are `stride` apart. */
typedef struct {
    const real *values, *z;
    real scale, slope, shift;
    size_t stride;
} Source;

static void fill(const Block *b, Item item, Source source, real *scratch)
{
    for (int f = 0; f < b->frames; f++)
        for (int row = -b->dilation; row < b->rows + b->dilation; row++) {
            int y = item.top + row;
            real *restrict to = scratch + f * b->frame + (row + b->dilation) * b->pitch + b->dilation;
            if (y < 0 || y >= b->height || f >= item.frames) {
                memset(to, 0, b->width * sizeof(real));
                continue;
            }
            size_t at = (item.frame + f) * source.stride + (size_t)y * b->width;
            const real *values = source.values + at, *z = source.z + at;
            real scale = source.scale, slope = source.slope, shift = source.shift;
            if (source.z) for (int x = 0; x < b->width; x++) to[x] = scale * values[x] + slope * z[x] + shift;
            else for (int x = 0; x < b->width; x++) to[x] = relu(values[x]);
        }
}

static void fill_inputs(const Block *b, Item item, const real *x, int C, real *scratch)
{
    size_t pixels = (size_t)b->height * b->width;
    for (int i = 0; i < C; i++)
        fill(b, item, (Source){.values = x + i * pixels, .stride = C * pixels}, scratch + i * b->plane);
}

static void convolve(const Block *b, const real *scratch, int inputs, const real *packed, real *result, int size)
{
    if (size == FEW)
        sum_taps(scratch, inputs, b->plane, b->tap, packed, b->length, result, b->plane, FEW, FEW_VECS, TAPS);
    else
        sum_taps(scratch, inputs, b->plane, b->tap, packed, b->length, result, b->plane, MANY, MANY_VECS, TAPS);
}

/* The result of `count` output channels into z from channel k on: plain, and their moments, or with `bias` and relu. */
static void write_result(const Block *b, Item item, const real *result, int count, const real *bias, real *z, int K,
                         int k, double *sums, double *square_sums)
{
    int width = b->width;
    for (int o = 0; o < count; o++)
        for (int f = 0; f < item.frames; f++) {
            real *to = z + (((size_t)(item.frame + f) * K + k + o) * b->height + item.top) * width;
            for (int row = 0; row < item.rows; row++) {
                const real *from = result + o * b->plane + f * b->frame + row * b->pitch;
                if (!bias) memcpy(to + row * width, from, width * sizeof(real));
                else for (int c = 0; c < width; c++) to[row * width + c] = relu(from[c] + bias[o]);
            }
            if (!bias) add_moments(to, item.rows * width, sums + k + o, square_sums + k + o);
        }
}

/* z = filters * relu(x): channels [k_first, k_first + K_part) of the K of z, and their moments. With `bias` z is
 * relu(z + bias), and there are no moments. */
static int spatial_forward(const real *x, const real *filters, const real *bias, real *z, double *sums,
                    double *square_sums, int frames, int C, int K, int k_first, int K_part, int height, int width,
                    int dilation, int first, int last)
{
    Block b = block_of(C, height, width, dilation);
    int size = block_size(K_part);
    real *packed = pack(filters, K_part, C, TAPS, 0, 0);
    real *scratch = zeros(b.plane * C), *result = zeros(b.plane * size);
    int failed = !packed || !scratch || !result;
    for (int number = first; number < last && !failed; number++) {
        Item item = item_of(&b, number, frames);
        fill_inputs(&b, item, x, C, scratch);
        for (int k = 0; k < K_part; k += size) {
            convolve(&b, scratch, C, packed + (size_t)k * C * TAPS, result, size);
            write_result(&b, item, result, smaller(size, K_part - k), bias ? bias + k : NULL, z, K, k_first + k, sums,
                         square_sums);
        }
    }
    free(packed);
    free(scratch);
    free(result);
    return failed;
}

static inline __attribute__((always_inline)) void add_at_taps(const vec g[GRADS], const real *const row[3], int at,
                                                               int dilation, vec acc[GRADS][TAPS])
{
    for (int tap = 0; tap < TAPS; tap++) {
        vec pixels = load(row[tap / 3] + at + tap % 3 * dilation);
        IN_REGISTER(pixels);
        for (int k = 0; k < GRADS; k++) acc[k][tap] += g[k] * pixels;
    }
}

/* Add to d_filters, TAPS numbers for each of `count` planes of gradients and `stride` apart, the products with one
 * plane of inputs at nine taps. Between rows the gradients are zero, below the last one they are not. Inlined with
 * a constant dilation. */
static inline __attribute__((always_inline)) void correlate(const real *gradients, int count, size_t plane,
                                                            const real *input, int length, int pitch, int dilation,
                                                            double *d_filters, size_t stride)
{
    const real *const row[3] = {input, input + pitch * dilation, input + 2 * pitch * dilation};
    const real *from[GRADS];
    vec acc[GRADS][TAPS] = {{{0}}}, g[GRADS] = {{0}};
    int at = 0;
    for (int k = 0; k < GRADS; k++) from[k] = gradients + smaller(k, count - 1) * plane;
    for (; at + LANES <= length; at += LANES) {
        vec full[GRADS];
        for (int k = 0; k < GRADS; k++) full[k] = load(from[k] + at);
        add_at_taps(full, row, at, dilation, acc);
    }
    for (int k = 0; k < GRADS; k++) memcpy(&g[k], from[k] + at, (length - at) * sizeof(real));
    add_at_taps(g, row, at, dilation, acc);
    for (int k = 0; k < count; k++)
        for (int tap = 0; tap < TAPS; tap++) d_filters[k * stride + tap] += sum_of(acc[k][tap]);
}

/* The result of `count` input channels from channel i into dx or, with `add`, added to it: where the inputs were
 * positive. */
static void write_where_positive(const Block *b, Item item, const real *result, int count, const real *x, int C, int i,
                                 int add, real *dx)
{
    size_t pixels = (size_t)b->height * b->width;
    for (int o = 0; o < count; o++)
        for (int f = 0; f < item.frames; f++) {
            size_t at = ((size_t)(item.frame + f) * C + i + o) * pixels + (size_t)item.top * b->width;
            for (int row = 0; row < item.rows; row++, at += b->width) {
                const real *from = result + o * b->plane + f * b->frame + row * b->pitch;
                if (add) for (int c = 0; c < b->width; c++) dx[at + c] += x[at + c] > 0 ? from[c] : 0;
                else for (int c = 0; c < b->width; c++) dx[at + c] = x[at + c] > 0 ? from[c] : 0;
            }
        }
}

/* Add to d_filters (K_part, C, TAPS) the products of the planes of gradients and of inputs in scratch. */
static void add_filter_gradients(const Block *b, Item item, const real *gradients, int K_part, const real *inputs,
                                 int C, double *d_filters)
{
    int length = b->length - (b->rows - item.rows) * b->pitch;
    for (int k = 0; k < K_part; k += GRADS)
        for (int i = 0; i < C; i++) {
            const real *of_k = gradients + k * b->plane + b->tap[TAPS / 2], *input = inputs + i * b->plane;
            double *d = d_filters + ((size_t)k * C + i) * TAPS;
            int count = smaller(GRADS, K_part - k);
            if (b->dilation == 1) correlate(of_k, count, b->plane, input, length, b->pitch, 1, d, (size_t)C * TAPS);
            else correlate(of_k, count, b->plane, input, length, b->pitch, 2, d, (size_t)C * TAPS);
        }
}

/* The gradients of spatial_forward from g, that behind the norm: dz = scale g + slope z + shift by channel.
 * Writes dx or, with `add`, adds to it, and adds to d_filters (K_part, C, TAPS) unless that is NULL. */
static int spatial_backward(const real *x, const real *filters, const real *z, const real *g, const real *scale,
                     const real *slope, const real *shift, real *dx, int add, double *d_filters, int frames, int C,
                     int K, int k_first, int K_part, int height, int width, int dilation, int first, int last)
{
    Block b = block_of(C + K_part, height, width, dilation);
    size_t pixels = (size_t)height * width;
    int size = block_size(C);
    real *packed = pack(filters, C, K_part, TAPS, 0, 1), *result = zeros(b.plane * size);
    real *inputs = zeros(b.plane * C), *gradients = zeros(b.plane * K_part);
    int failed = !packed || !result || !inputs || !gradients;
    for (int number = first; number < last && !failed; number++) {
        Item item = item_of(&b, number, frames);
        for (int k = 0; k < K_part; k++) {
            int c = k_first + k;
            Source source = {g + c * pixels, z + c * pixels, scale[c], slope[c], shift[c], K * pixels};
            fill(&b, item, source, gradients + k * b.plane);
        }
        for (int i = 0; i < C; i += size) {
            convolve(&b, gradients, K_part, packed + (size_t)i * K_part * TAPS, result, size);
            write_where_positive(&b, item, result, smaller(size, C - i), x, C, i, add, dx);
        }
        if (!d_filters) continue;
        fill_inputs(&b, item, x, C, inputs);
        add_filter_gradients(&b, item, gradients, K_part, inputs, C, d_filters);
    }
    free(packed);
    free(result);
    free(inputs);
    free(gradients);
    return failed;
}
