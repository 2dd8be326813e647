// The kernels of block types, for one kind of processor: a Level file defines KERNEL(name), sets the processor's
// features for all functions that follow, and includes this.

#pragma STDC FP_CONTRACT OFF

#include "DequantizeSimple.h"
#include "DequantizeK.h"
#include "DequantizeIQ.h"
#include "Lanes.h"
#include "Search.h"
#include "QuantizeK.h"
#include "QuantizeSimple.h"
#include "QuantizeWeighted.h"
#include "SearchGrid.h"
#include "QuantizeGrid.h"
#include "QuantizeTernaryGrid.h"

const kist_block_kernels KERNEL(kernels)[kist_ggml_type_count] = {
  [2] = {KERNEL(dequantize_q4_0), KERNEL(quantize_rows_q4_0)},
  [3] = {KERNEL(dequantize_q4_1), KERNEL(quantize_rows_q4_1)},
  [6] = {KERNEL(dequantize_q5_0), KERNEL(quantize_rows_q5_0)},
  [7] = {KERNEL(dequantize_q5_1), KERNEL(quantize_rows_q5_1)},
  [8] = {KERNEL(dequantize_q8_0), KERNEL(quantize_plain_q8_0)},
  [9] = {KERNEL(dequantize_q8_1)},
  [10] = {KERNEL(dequantize_q2_k), KERNEL(quantize_rows_q2_k)},
  [11] = {KERNEL(dequantize_q3_k), KERNEL(quantize_rows_q3_k)},
  [12] = {KERNEL(dequantize_q4_k), KERNEL(quantize_rows_q4_k)},
  [13] = {KERNEL(dequantize_q5_k), KERNEL(quantize_rows_q5_k)},
  [14] = {KERNEL(dequantize_q6_k), KERNEL(quantize_rows_q6_k)},
  [15] = {KERNEL(dequantize_q8_k)},
  [16] = {KERNEL(dequantize_iq2_xxs), KERNEL(quantize_rows_iq2_xxs)},
  [17] = {KERNEL(dequantize_iq2_xs), KERNEL(quantize_rows_iq2_xs)},
  [18] = {KERNEL(dequantize_iq3_xxs), KERNEL(quantize_rows_iq3_xxs)},
  [19] = {KERNEL(dequantize_iq1_s), KERNEL(quantize_rows_iq1_s)},
  [20] = {KERNEL(dequantize_iq4_nl), KERNEL(quantize_rows_iq4_nl)},
  [21] = {KERNEL(dequantize_iq3_s), KERNEL(quantize_rows_iq3_s)},
  [22] = {KERNEL(dequantize_iq2_s), KERNEL(quantize_rows_iq2_s)},
  [23] = {KERNEL(dequantize_iq4_xs), KERNEL(quantize_rows_iq4_xs)},
  [29] = {KERNEL(dequantize_iq1_m), KERNEL(quantize_rows_iq1_m)},
  [34] = {KERNEL(dequantize_tq1_0), KERNEL(quantize_plain_tq1_0)},
  [35] = {KERNEL(dequantize_tq2_0), KERNEL(quantize_plain_tq2_0)},
  [39] = {KERNEL(dequantize_mxfp4), KERNEL(quantize_plain_mxfp4)},
  [40] = {KERNEL(dequantize_nvfp4), KERNEL(quantize_plain_nvfp4)},
  [41] = {KERNEL(dequantize_q1_0), KERNEL(quantize_rows_q1_0)},
  [42] = {KERNEL(dequantize_q2_0), KERNEL(quantize_plain_q2_0)},
};
