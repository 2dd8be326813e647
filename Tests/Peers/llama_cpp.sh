#!/bin/sh
# Tests/Peers/llama_cpp.sh FOLDER: builds llama-quantize and llama-imatrix in FOLDER, outside the repository, from the llama.cpp that
# llama-cpp-python 0.3.36 carries. Needs a C++ compiler and python3; takes some minutes. Then:
#   KIST_LLAMA_CPP=FOLDER/build/bin make test-peers
set -eu
[ $# = 1 ] || { echo "usage: $0 FOLDER" >&2; exit 64; }
mkdir -p "$1"
cd "$1"
version=0.3.36
name=llama_cpp_python-$version

# pip makes the archive's metadata on the way; cmake comes from there too, where there is none.
[ -x venv/bin/pip ] || python3 -m venv venv
if ! [ -d "$name" ]; then
  venv/bin/pip download -q --no-deps --no-binary :all: "llama-cpp-python==$version"
  tar xzf "$name.tar.gz"
fi
command -v cmake >/dev/null || { venv/bin/pip install -q cmake; PATH=$PWD/venv/bin:$PATH; }
cmake -S "$name/vendor/llama.cpp" -B build -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DLLAMA_CURL=OFF \
  -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF -DGGML_CUDA=OFF
cmake --build build -j "$(nproc)" --target llama-quantize llama-imatrix
echo "KIST_LLAMA_CPP=$(pwd)/build/bin make test-peers"
