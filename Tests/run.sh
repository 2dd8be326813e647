#!/bin/sh
# Runs every test, then names and counts what was skipped. KIST_PEERS=1 also runs what compares with other libraries.
cd "$(dirname "$0")/.." || exit 2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0

# One build serves the command and the tests, which need no @testable.
swift build -c release --product kist || exit 1
swift test -c release --disable-testable-imports >"$log" 2>&1 || status=1
if [ $status = 0 ]; then grep -E "skipped|Test run with" "$log"; else cat "$log"; fi

# The independent reader, on its own files and on those that the Swift tests and the command write.
files=$(mktemp -d)
for source in Fixtures/*.safetensors; do
  name=$(basename "$source" .safetensors)
  cp "$source" "$files/" && .build/release/kist convert "$source" -o "$files/$name.kist" --quiet || status=1
done
for source in Fixtures/tiny-llama Fixtures/tiny-llama-sharded; do
  for pack in auto none max; do
    .build/release/kist convert "$source" -o "$files/$(basename $source)-$pack.kist" --pack $pack --quiet || status=1
  done
done
KIST_FILES=$files .peers/bin/python -m pytest -q -rs spec/test_kist.py || status=1
rm -rf "$files"

# The Python package, with the command and against it.
(cd python && KIST_BINARY=../.build/release/kist ../.peers/bin/python -m pytest -q -rs) || status=1

# Random strings through Kist and the libraries that tokenizers belong to (KIST_PEER_STRINGS says how many), random tokens through
# models and transformers.
if [ "${KIST_PEERS:-}" = 1 ]; then
  .peers/bin/python Tests/Peers/differential.py .build/release/kist || status=1
  .peers/bin/python Tests/Peers/engines.py .build/release/kist || status=1
  .peers/bin/python Tests/Peers/judge.py .build/release/kist || status=1
  .peers/bin/python Tests/Peers/exports.py .build/release/kist || status=1
  # Whole files of llama-quantize, and what llama-imatrix collects.
  if [ -x "${KIST_LLAMA_CPP:-}/llama-quantize" ] && [ -x "$KIST_LLAMA_CPP/llama-imatrix" ]; then
    .peers/bin/python Tests/Peers/quantize.py .build/release/kist "$KIST_LLAMA_CPP/llama-quantize" || status=1
    .peers/bin/python Tests/Peers/imatrix.py .build/release/kist "$KIST_LLAMA_CPP/llama-imatrix" || status=1
  else
    echo "skipped: Tests/Peers/quantize.py and Tests/Peers/imatrix.py (KIST_LLAMA_CPP names no folder with llama-quantize and" \
      "llama-imatrix; Tests/Peers/llama_cpp.sh builds them)"
  fi
fi

skipped=$(grep -cE "^[^ ]+ Test .* skipped" "$log")
echo "skipped: $skipped Swift tests (named above)"
[ $status = 0 ] && echo "all tests passed" || echo "FAILED"
exit $status
