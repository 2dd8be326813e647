// Writes Fixtures/quantization/llama-mixtures.json: the types that llama.cpp chooses for the tensors of a few made-up
// models, for every kind of file, by its own llama_quant_compute_types.
//
//   c++ -std=c++17 -I $LLAMA/include -I $LLAMA/ggml/include -I $LLAMA/src Fixtures/make/llama_mixtures.cpp \
//     -L $BUILD/bin -lllama -lggml-base -lggml -Wl,-rpath,$BUILD/bin -o /tmp/mixtures
//   /tmp/mixtures > Fixtures/quantization/llama-mixtures.json

#include "ggml.h"
#include "llama.h"

#include "llama-ext.h"

#include <cstdio>
#include <cctype>
#include <exception>
#include <map>
#include <string>
#include <vector>

struct tensor {
  std::string name;
  std::vector<int64_t> ne;  // fastest dimension first
};

struct model {
  const char *name, *architecture;
  uint32_t width, hidden, layers, heads, kv_heads, experts;
  bool tied, fused;
};

// The same list stands in Tests/KistQuantizationTests/MixtureTests.swift.
static const std::vector<model> models = {
  {"llama", "llama", 2048, 5632, 24, 32, 32, 0, false, false},
  {"grouped", "llama", 2048, 5632, 32, 32, 8, 0, false, false},
  {"70b", "llama", 8192, 28672, 80, 64, 8, 0, false, false},
  {"experts", "llama", 4096, 14336, 32, 32, 8, 8, false, false},
  {"few experts", "llama", 4096, 14336, 12, 32, 16, 4, true, false},
  {"gpt2", "gpt2", 768, 3072, 12, 12, 12, 0, true, true},
  {"falcon", "falcon", 4544, 18176, 32, 71, 1, 0, false, true},
  {"odd", "qwen2", 896, 4864, 24, 14, 2, 0, true, false},
  {"odder", "qwen2", 100, 336, 9, 4, 2, 0, true, false},
};

static std::vector<tensor> tensors_of(const model &m) {
  int64_t w = m.width, h = m.hidden, kv = (int64_t)m.width / m.heads * m.kv_heads;
  std::vector<tensor> all = {{"token_embd.weight", {w, 32000}}};
  if (!m.tied) all.push_back({"output.weight", {w, 32000}});
  all.push_back({"output_norm.weight", {w}});
  for (uint32_t i = 0; i < m.layers; i++) {
    std::string blk = "blk." + std::to_string(i) + ".";
    if (m.fused) {
      all.push_back({blk + "attn_qkv.weight", {w, w + 2 * kv}});
    } else {
      all.push_back({blk + "attn_q.weight", {w, w}});
      all.push_back({blk + "attn_k.weight", {w, kv}});
      all.push_back({blk + "attn_v.weight", {w, kv}});
    }
    all.push_back({blk + "attn_output.weight", {w, w}});
    all.push_back({blk + "attn_norm.weight", {w}});
    if (m.experts > 0) {
      all.push_back({blk + "ffn_gate_inp.weight", {w, m.experts}});
      all.push_back({blk + "ffn_gate_exps.weight", {w, h, m.experts}});
      all.push_back({blk + "ffn_up_exps.weight", {w, h, m.experts}});
      all.push_back({blk + "ffn_down_exps.weight", {h, w, m.experts}});
    } else {
      all.push_back({blk + "ffn_gate.weight", {w, h}});
      all.push_back({blk + "ffn_up.weight", {w, h}});
      all.push_back({blk + "ffn_down.weight", {h, w}});
    }
  }
  return all;
}

static const std::vector<std::pair<const char *, llama_ftype>> mixtures = {
  {"Q1_0", LLAMA_FTYPE_MOSTLY_Q1_0},       {"Q2_0", LLAMA_FTYPE_MOSTLY_Q2_0},       {"Q4_0", LLAMA_FTYPE_MOSTLY_Q4_0},
  {"Q4_1", LLAMA_FTYPE_MOSTLY_Q4_1},       {"Q5_0", LLAMA_FTYPE_MOSTLY_Q5_0},       {"Q5_1", LLAMA_FTYPE_MOSTLY_Q5_1},
  {"Q8_0", LLAMA_FTYPE_MOSTLY_Q8_0},       {"Q2_K", LLAMA_FTYPE_MOSTLY_Q2_K},       {"Q2_K_S", LLAMA_FTYPE_MOSTLY_Q2_K_S},
  {"Q3_K_S", LLAMA_FTYPE_MOSTLY_Q3_K_S},   {"Q3_K_M", LLAMA_FTYPE_MOSTLY_Q3_K_M},   {"Q3_K_L", LLAMA_FTYPE_MOSTLY_Q3_K_L},
  {"Q4_K_S", LLAMA_FTYPE_MOSTLY_Q4_K_S},   {"Q4_K_M", LLAMA_FTYPE_MOSTLY_Q4_K_M},   {"Q5_K_S", LLAMA_FTYPE_MOSTLY_Q5_K_S},
  {"Q5_K_M", LLAMA_FTYPE_MOSTLY_Q5_K_M},   {"Q6_K", LLAMA_FTYPE_MOSTLY_Q6_K},       {"IQ1_S", LLAMA_FTYPE_MOSTLY_IQ1_S},
  {"IQ1_M", LLAMA_FTYPE_MOSTLY_IQ1_M},     {"IQ2_XXS", LLAMA_FTYPE_MOSTLY_IQ2_XXS}, {"IQ2_XS", LLAMA_FTYPE_MOSTLY_IQ2_XS},
  {"IQ2_S", LLAMA_FTYPE_MOSTLY_IQ2_S},     {"IQ2_M", LLAMA_FTYPE_MOSTLY_IQ2_M},     {"IQ3_XXS", LLAMA_FTYPE_MOSTLY_IQ3_XXS},
  {"IQ3_XS", LLAMA_FTYPE_MOSTLY_IQ3_XS},   {"IQ3_S", LLAMA_FTYPE_MOSTLY_IQ3_S},     {"IQ3_M", LLAMA_FTYPE_MOSTLY_IQ3_M},
  {"IQ4_NL", LLAMA_FTYPE_MOSTLY_IQ4_NL},   {"IQ4_XS", LLAMA_FTYPE_MOSTLY_IQ4_XS},   {"TQ1_0", LLAMA_FTYPE_MOSTLY_TQ1_0},
  {"TQ2_0", LLAMA_FTYPE_MOSTLY_TQ2_0},     {"MXFP4_MOE", LLAMA_FTYPE_MOSTLY_MXFP4_MOE},
};

int main() {
  llama_log_set([](ggml_log_level, const char *, void *) {}, nullptr);
  printf("{");
  const char *between = "\n";
  for (const model &m : models) {
    llama_quant_model_desc description = {
      m.architecture, m.width, m.hidden, m.layers, m.heads, m.kv_heads, m.experts, m.width / m.heads, m.width / m.heads};
    llama_model *loaded = llama_quant_model_from_metadata(&description);
    llama_model_quantize_params parameters = llama_model_quantize_default_params();
    quantize_state_impl *state = llama_quant_init(loaded, &parameters);
    std::vector<tensor> all = tensors_of(m);
    ggml_init_params memory = {all.size() * ggml_tensor_overhead() + 4096, nullptr, true};
    ggml_context *context = ggml_init(memory);
    std::vector<ggml_tensor *> tensors;
    for (const tensor &t : all) {
      ggml_tensor *made = ggml_new_tensor(context, GGML_TYPE_F32, (int)t.ne.size(), t.ne.data());
      ggml_set_name(made, t.name.c_str());
      tensors.push_back(made);
    }
    printf("%s  \"%s\": {", between, m.name);
    between = ",\n";
    const char *comma = "\n";
    for (auto [name, ftype] : mixtures) {
      std::vector<ggml_type> types(tensors.size());
      try {
        llama_quant_compute_types(state, ftype, tensors.data(), types.data(), types.size());
      } catch (const std::exception &) {
        continue;  // no type takes the place of Q1_0
      }
      // A digest (FNV-1a) of the types' names, each with a line feed, and how many of each there are.
      uint64_t hash = 0xCBF29CE484222325u;
      std::map<std::string, int> counts;
      for (ggml_type chosen : types) {
        std::string type = ggml_type_name(chosen);
        for (char &c : type) c = (char)toupper(c);
        counts[type]++;
        for (char c : type + "\n") hash = (hash ^ (uint8_t)c) * 0x100000001B3u;
      }
      printf("%s    \"%s\": \"%016llx", comma, name, (unsigned long long)hash);
      comma = ",\n";
      for (const auto &[type, count] : counts) printf(" %s %d", type.c_str(), count);
      printf("\"");
    }
    printf("\n  }");
    ggml_free(context);
    llama_quant_free(state);
  }
  printf("\n}\n");
}
