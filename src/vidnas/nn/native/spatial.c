/* The spatial stage: 3 x 3 convolutions of single frames, seen through relu. */
#include "kernels.h"

/* What one item is: rows [top, top + rows) of `lanes` frames, one but where they are small. In scratch a channel is
 * rows + 2 dilation rows of width + 2 dilation pixels, zero around the frame, and a pixel is a number of each frame.
 * So the nine taps of an output pixel lie at fixed distances, and vectors run on over the ends of rows; what comes
 * out between them is left away. */
typedef struct {
    int height, width, dilation, rows, lanes, pitch, length;
    size_t plane;
    ptrdiff_t tap[TAPS];
} Block;

enum { SMALL_WIDTH = 8, FEWEST_ITEMS = 2 };

static Block block_of(int frames, int channels, int height, int width, int dilation)
{
    Block b = {.height = height, .width = width, .dilation = dilation, .lanes = 1};
    if (width < SMALL_WIDTH) b.lanes = larger(1, smaller(LANES, frames / FEWEST_ITEMS));
    b.pitch = (width + 2 * dilation) * b.lanes;
    int fitting = SCRATCH_BYTES / (int)sizeof(real) / b.pitch / channels - 2 * dilation;
    b.rows = smaller(height, larger(fitting, 8));
    b.length = b.rows * b.pitch - 2 * dilation * b.lanes;
    b.plane = (size_t)(b.rows + 2 * dilation) * b.pitch + SPAN; /* the last vectors end behind the last row */
    for (int tap = 0; tap < TAPS; tap++) b.tap[tap] = (ptrdiff_t)(tap / 3 * b.pitch + tap % 3 * b.lanes) * dilation;
    return b;
}

static int blocks_of(const Block *b) { return (b->height + b->rows - 1) / b->rows; }

/* An item's first frame, number of frames, first row and number of rows. */
typedef struct {
    int frame, frames, top, rows;
} Item;

static Item item_of(const Block *b, int item, int frames)
{
    int frame = item / blocks_of(b) * b->lanes, top = item % blocks_of(b) * b->rows;
    return (Item){frame, smaller(b->lanes, frames - frame), top, smaller(b->rows, b->height - top)};
}

int spatial_items(int frames, int channels, int height, int width, int dilation)
{
    Block b = block_of(frames, channels, height, width, dilation);
    return (frames + b.lanes - 1) / b.lanes * blocks_of(&b);
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
    for (int row = -b->dilation; row < b->rows + b->dilation; row++) {
        int y = item.top + row;
        real *line = scratch + (row + b->dilation) * b->pitch + b->dilation * b->lanes;
        if (y < 0 || y >= b->height || item.frames < b->lanes) memset(line, 0, b->width * b->lanes * sizeof(real));
        if (y < 0 || y >= b->height) continue;
        for (int f = 0; f < item.frames; f++) {
            size_t at = (item.frame + f) * source.stride + (size_t)y * b->width;
            const real *values = source.values + at, *z = source.z + at;
            real scale = source.scale, slope = source.slope, shift = source.shift, *restrict to = line + f;
            if (b->lanes > 1) {
                for (int x = 0; x < b->width; x++)
                    to[x * b->lanes] = source.z ? scale * values[x] + slope * z[x] + shift : relu(values[x]);
            } else if (source.z) for (int x = 0; x < b->width; x++) to[x] = scale * values[x] + slope * z[x] + shift;
            else for (int x = 0; x < b->width; x++) to[x] = relu(values[x]);
        }
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
    int width = b->width, lanes = b->lanes;
    for (int o = 0; o < count; o++) {
        real *frame = z + (((size_t)item.frame * K + k + o) * b->height + item.top) * width;
        for (int row = 0; row < item.rows; row++) {
            const real *line = result + o * b->plane + row * b->pitch;
            for (int f = 0; f < item.frames; f++) {
                real *restrict to = frame + ((size_t)f * K * b->height + row) * width;
                if (bias) for (int c = 0; c < width; c++) to[c] = relu(line[c * lanes + f] + bias[o]);
                else if (lanes > 1) for (int c = 0; c < width; c++) to[c] = line[c * lanes + f];
                else memcpy(to, line, width * sizeof(real));
            }
            if (!bias && lanes > 1) add_moments(line, width * lanes, sums + k + o, square_sums + k + o);
        }
        if (!bias && lanes == 1) add_moments(frame, item.rows * width, sums + k + o, square_sums + k + o);
    }
}

/* z = filters * relu(x): channels [k_first, k_first + K_part) of the K of z, and their moments. With `bias` z is
 * relu(z + bias), and there are no moments. */
static int spatial_forward(const real *x, const real *filters, const real *bias, real *z, double *sums,
                    double *square_sums, int frames, int C, int K, int k_first, int K_part, int height, int width,
                    int dilation, int first, int last)
{
    Block b = block_of(frames, C, height, width, dilation);
    int size = block_size(K_part);
    real *packed = pack(filters, K_part, C, TAPS, 0);
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

static inline __attribute__((always_inline)) void add_at_taps(const real *const from[GRADS], const real *input, int at,
                                                              int apart, vec acc[GRADS][3])
{
    vec pixels[3];
    for (int tap = 0; tap < 3; tap++) {
        pixels[tap] = load(input + at + tap * apart);
        IN_REGISTER(pixels[tap]);
    }
    for (int k = 0; k < GRADS; k++) {
        vec g = load(from[k] + at);
        IN_REGISTER(g);
        for (int tap = 0; tap < 3; tap++) acc[k][tap] += g * pixels[tap];
    }
}

/* Add to d_filters, TAPS numbers for each of `count` planes of gradients and `stride` apart, the products with one
 * plane of inputs at nine taps, which lie in rows `below` each other and `apart` in them. Between rows the gradients
 * are zero, below the last one they are not. Inlined with a constant `apart` where there is one. */
static inline __attribute__((always_inline)) void correlate(const real *gradients, int count, size_t plane,
                                                            const real *input, int length, int below, int apart,
                                                            double *d_filters, size_t stride)
{
    int whole = length - length % LANES;
    real last[GRADS][LANES] = {{0}}; /* what is left of each plane */
    const real *from[GRADS], *from_last[GRADS];
    for (int k = 0; k < GRADS; k++) {
        from[k] = gradients + smaller(k, count - 1) * plane;
        from_last[k] = last[k] - whole;
        memcpy(last[k], from[k] + whole, (length - whole) * sizeof(real));
    }
    for (int row = 0; row < TAPS; row += 3, input += below) {
        vec acc[GRADS][3] = {{{0}}};
        for (int at = 0; at < whole; at += LANES) add_at_taps(from, input, at, apart, acc);
        add_at_taps(from_last, input, whole, apart, acc);
        for (int k = 0; k < count; k++)
            for (int tap = 0; tap < 3; tap++) d_filters[k * stride + row + tap] += sum_of(acc[k][tap]);
    }
}

/* The result of `count` input channels from channel i into dx or, with `add`, added to it: where the inputs were
 * positive. */
static void write_where_positive(const Block *b, Item item, const real *result, int count, const real *x, int C, int i,
                                 int add, real *dx)
{
    int width = b->width, lanes = b->lanes;
    for (int o = 0; o < count; o++)
        for (int f = 0; f < item.frames; f++)
            for (int row = 0; row < item.rows; row++) {
                size_t at = (((size_t)(item.frame + f) * C + i + o) * b->height + item.top + row) * width;
                const real *from = result + o * b->plane + row * b->pitch + f;
                if (lanes > 1)
                    for (int c = 0; c < width; c++)
                        dx[at + c] = (add ? dx[at + c] : 0) + (x[at + c] > 0 ? from[c * lanes] : 0);
                else if (add) for (int c = 0; c < width; c++) dx[at + c] += x[at + c] > 0 ? from[c] : 0;
                else for (int c = 0; c < width; c++) dx[at + c] = x[at + c] > 0 ? from[c] : 0;
            }
}

/* Add to d_filters (K_part, C, TAPS) the products of the planes of gradients and of inputs in scratch. */
static void add_filter_gradients(const Block *b, Item item, const real *gradients, int K_part, const real *inputs,
                                 int C, double *d_filters)
{
    int length = b->length - (b->rows - item.rows) * b->pitch, apart = b->dilation * b->lanes;
    for (int k = 0; k < K_part; k += GRADS)
        for (int i = 0; i < C; i++) {
            const real *of_k = gradients + k * b->plane + b->tap[TAPS / 2], *input = inputs + i * b->plane;
            double *d = d_filters + ((size_t)k * C + i) * TAPS;
            int count = smaller(GRADS, K_part - k), below = b->pitch * b->dilation;
            if (apart == 1) correlate(of_k, count, b->plane, input, length, below, 1, d, (size_t)C * TAPS);
            else if (apart == 2) correlate(of_k, count, b->plane, input, length, below, 2, d, (size_t)C * TAPS);
            else correlate(of_k, count, b->plane, input, length, below, apart, d, (size_t)C * TAPS);
        }
}

/* The gradients of spatial_forward from g, that behind the norm: dz = scale g + slope z + shift by channel.
 * Writes dx or, with `add`, adds to it, and adds to d_filters (K_part, C, TAPS) unless that is NULL. */
static int spatial_backward(const real *x, const real *filters, const real *z, const real *g, const real *scale,
                     const real *slope, const real *shift, real *dx, int add, double *d_filters, int frames, int C,
                     int K, int k_first, int K_part, int height, int width, int dilation, int first, int last)
{
    Block b = block_of(frames, C + K_part, height, width, dilation);
    size_t pixels = (size_t)height * width;
    int size = block_size(C);
    real *packed = pack(filters, C, K_part, TAPS, 1), *result = zeros(b.plane * size);
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
