// The inner loops of a backward pass and of the optimizers, f32. `d…` stands for the gradient of the loss by `…`. As in Inference.h,
// pointers need no alignment, lengths may be any, and results are the same bits on every processor.

#ifndef KIST_TRAINING_H
#define KIST_TRAINING_H

#include <stdbool.h>
#include <stddef.h>

// Norms of one row. `weight` may be null. `dx` is added to, or written; it may be `dy` when it is written. `statistics` gets the row's mean
// and 1 / √(variance + epsilon), which the gradients of the weights are computed with.

void kist_rms_norm_backward(
    const float *x, const float *weight, const float *dy, float epsilon, size_t count, bool adds, float *dx,
    float *statistics);

void kist_layer_norm_backward(
    const float *x, const float *weight, const float *dy, float epsilon, size_t count, bool adds, float *dx,
    float *statistics);

/// dweight += Σ dy · (x - mean) · scale and dbias += Σ dy, over rows that are `stride` apart; each row has its two statistics. Either may be
/// null. `count` columns.
void kist_norm_weights_backward(
    const float *x, const float *dy, const float *statistics, size_t row_count, size_t stride, size_t count,
    float *dweight, float *dbias);

/// sums += Σ rows, `stride` apart; `count` columns. Sums are of doubles.
void kist_add_column_sums(const float *rows, size_t row_count, size_t stride, size_t count, float *sums);

// Activations: dx = activation′(x) · dy. `dx` may be one of the others.

void kist_silu_backward(const float *x, const float *dy, size_t count, float *dx);
void kist_gelu_backward(const float *x, const float *dy, size_t count, float *dx);
void kist_gelu_tanh_backward(const float *x, const float *dy, size_t count, float *dx);
void kist_gelu_quick_backward(const float *x, const float *dy, size_t count, float *dx);
void kist_relu_backward(const float *x, const float *dy, size_t count, float *dx);
void kist_relu_squared_backward(const float *x, const float *dy, size_t count, float *dx);

// Gated feed-forward: dgate = activation′(gate) · up · dy, dup = activation(gate) · dy. Outputs may be one of the inputs.

void kist_silu_gate_backward(
    const float *gate, const float *up, const float *dy, size_t count, float *dgate, float *dup);
void kist_gelu_gate_backward(
    const float *gate, const float *up, const float *dy, size_t count, float *dgate, float *dup);
void kist_gelu_tanh_gate_backward(
    const float *gate, const float *up, const float *dy, size_t count, float *dgate, float *dup);

/// dy becomes dx = dy · (1 - (y / cap)²), for y = cap · tanh(x / cap).
void kist_soft_cap_backward(const float *y, size_t count, float cap, float *dy);

/// dweights becomes scale · weights · (dweights - Σ weights · dweights), for weights = softmax(x).
void kist_softmax_backward(const float *weights, size_t count, float scale, float *dweights);

/// -ln softmax(logits)[target]; leaves scale · (softmax(logits) - 1 at the target) in `logits`.
float kist_cross_entropy(float *logits, size_t count, size_t target, float scale);

/// Σ x², of doubles.
double kist_sum_of_squares(const float *x, size_t count);

/// What one step of Adam does to every parameter of a group.
typedef struct {
  float gradient_scale;  // of gradients, as clipping wants it
  float decay;           // added to the gradient, times the parameter: Adam's
  float shrink;          // what the parameter is multiplied with before: AdamW's, 1 - rate · weight decay
  float mean_weight;     // 1 - beta1: of the gradient in its running average
  float square_kept;     // beta2
  float square_weight;   // 1 - beta2
  float step;            // rate / (1 - beta1^t)
  float root_correction; // √(1 - beta2^t)
  float epsilon;
} kist_adam_step;

/// One step of Adam. `mean` and `square` are its running averages.
void kist_adam(
    float *parameters, const float *gradients, float *mean, float *square, size_t count, const kist_adam_step *step);

/// One step of gradient descent with momentum: velocity = momentum · velocity + gradient; parameter -= rate · velocity.
void kist_descend(
    float *parameters, const float *gradients, float *velocity, size_t count, float gradient_scale, float decay,
    float momentum, float rate);

#endif
