#include "Clones.h"
#include "Lanes.h"
#include "Training.h"

#pragma STDC FP_CONTRACT OFF

// As PyTorch 2.15 computes them, single tensor at a time: torch/optim/adam.py, adamw.py, sgd.py.

KIST_CLONES void kist_adam(
    float *parameters, const float *gradients, float *mean, float *square, size_t count, const kist_adam_step *step) {
  kist_adam_step s = *step;
  for (size_t i = 0; i < count; i += lanes) {
    size_t width = lanes_from(i, count);
    floats parameter, gradient, m, v;
    load_lanes(parameters + i, width, 0, &parameter);
    load_lanes(gradients + i, width, 0, &gradient);
    load_lanes(mean + i, width, 0, &m);
    load_lanes(square + i, width, 0, &v);
    parameter *= s.shrink;
    gradient = gradient * s.gradient_scale + parameter * s.decay;
    m += (gradient - m) * s.mean_weight;
    v = v * s.square_kept + gradient * gradient * s.square_weight;
    parameter -= s.step * (m / (__builtin_elementwise_sqrt(v) / s.root_correction + s.epsilon));
    store_lanes(&parameter, width, parameters + i);
    store_lanes(&m, width, mean + i);
    store_lanes(&v, width, square + i);
  }
}

KIST_CLONES void kist_descend(
    float *parameters, const float *gradients, float *velocity, size_t count, float gradient_scale, float decay,
    float momentum, float rate) {
  for (size_t i = 0; i < count; i++) {
    float gradient = gradients[i] * gradient_scale + parameters[i] * decay;
    velocity[i] = velocity[i] * momentum + gradient;
    parameters[i] -= velocity[i] * rate;
  }
}
