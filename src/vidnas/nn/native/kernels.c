/* CPU kernels of the networks, one compilation unit: library.py compiles this file, once with REAL=float and once with
 * REAL=double.
 *
 * Arrays are (batch, time, channels, height, width), contiguous; a plane is one channel of one frame. The branches of
 * one input (nn/branches.py) lie side by side as groups of C channels, K channels in all. Every kernel does the items
 * [first, last) of its work, so that threads can share it; what is summed over items goes into an array of the
 * caller's own. They return 0, or 1 where there is no memory for scratch.
 *
 * Two ideas make them fast. A block of input is copied into scratch with zeros around it, so that inner loops
 * know no borders. And several output channels x several vectors of pixels are summed in registers at once, so that
 * a loaded vector serves all these channels, a loaded weight all these vectors.
 */
#include "kernels.h"

#include "spatial.c"
#include "temporal.c"

#include "blend.c"
#include "mix.c"
#include "norm.c"
#include "pool.c"

#include "team.c"
