import KistCore
import KistInference

/// A program by others that computes models: an independent judge of what Kist computes.
public enum ExternalEngine: String, Sendable, CaseIterable {
  case llamaCpp = "llama.cpp"
  case transformers

  /// What to do where it is not installed.
  var installation: String {
    let another = "or name another Python with --python or KIST_PYTHON"
    return switch self {
    case .llamaCpp: "pip install llama-cpp-python, \(another), or have llama.cpp's \(LlamaResults.name) in PATH"
    case .transformers: "pip install transformers torch, \(another)"
    }
  }

  /// What rounding on its way explains; nil when it computes in f32, as Kist does.
  var tolerance: Tolerance? {
    switch self {
    case .llamaCpp: Tolerance(reason: "llama.cpp rounds activations to the weights' precision", meanDivergence: 5e-3)
    case .transformers: nil
    }
  }

  /// Whether it reads a checkpoint as it is; others are converted for it.
  func reads(_ format: Checkpoint.Format) -> Bool {
    switch self {
    case .llamaCpp: format == .gguf
    case .transformers: format == .gguf || format == .huggingFace
    }
  }

  /// The name of what is made for it of a container; a folder, when it has no suffix.
  func targetName(for provenance: Checkpoint.Format) -> String {
    self == .llamaCpp || provenance == .gguf ? "model.gguf" : "model"
  }

  /// A Python program whose arguments are the model, a file of JSON with the tokens, and the file to write logits to, F32 [tokens,
  /// vocabulary]. It prints JSON with `engine` and `vocabulary`; its status is 3, after the name of a module that is not there.
  var script: String {
    """
    import json, os, sys
    path, tokens_path, output = sys.argv[1:]
    tokens = json.load(open(tokens_path))
    try:
    \(imports)
    except ImportError as error:
        print(error.name)
        sys.exit(3)
    \(computation)
    values = np.ascontiguousarray(logits, dtype="<f4")
    values.tofile(output)
    print("\\n" + json.dumps({"engine": engine, "vocabulary": values.shape[1]}))
    """
  }

  private var imports: String {
    switch self {
    case .llamaCpp: "    import numpy as np, llama_cpp"
    case .transformers: "    import numpy as np, torch, transformers"
    }
  }

  private var computation: String {
    switch self {
    case .llamaCpp:
      """
      model = llama_cpp.Llama(path, n_ctx=max(64, len(tokens)), n_batch=max(64, len(tokens)), logits_all=True,
                              n_gpu_layers=0, verbose=False, type_k=0, type_v=0)
      model.eval(tokens)
      logits = model.scores[:len(tokens)]
      engine = f"llama.cpp (llama-cpp-python {llama_cpp.__version__})"
      """
    case .transformers:
      """
      name = os.path.basename(path) if os.path.isfile(path) else None
      model = transformers.AutoModelForCausalLM.from_pretrained(
          os.path.dirname(path) or "." if name else path, gguf_file=name, dtype=torch.float32, local_files_only=True)
      with torch.inference_mode():
          logits = model.eval()(torch.tensor([tokens])).logits[0].float().numpy()
      engine = f"transformers {transformers.__version__}"
      """
    }
  }
}
