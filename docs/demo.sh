#!/bin/sh
# The main job, on models in the repo: convert, inspect, quantize, verify, predict, look inside, edit, sign, and get the same bytes back.
set -eu
kist=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp -r Fixtures/tiny-llama Fixtures/world-llama "$folder"
cd "$folder"

if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); else bold= plain=; fi
run() {
  printf '\n%s$ %s%s\n' "$bold" "$*" "$plain"
  case $1 in kist) shift; "$kist" "$@" ;; *) "$@" ;; esac
}

run kist convert tiny-llama -o tiny.kist
run kist inspect tiny.kist
run kist inspect tiny.kist --tensors 'model.layers.0.*' --stats
run kist show tiny.kist model.norm.weight '[0:8]'
run kist tokenizer encode tiny.kist 'Hello, world' --show
run kist verify tiny.kist

run kist convert world-llama -o world.kist
run kist inspect world.kist
run kist verify world.kist
run kist predict world.kist 'The father of the prince is the' -k 3
run kist predict world.kist 'The dog' -n 30
run kist analogy world.kist king man woman -k 3
run kist attention world.kist 'The king sits on the throne' --layer 1 --head 2
run kist score world.kist world-llama/held-out.txt
run kist verify world.kist --against world-llama --bisect

run kist quantize world.kist -o small.kist --type Q4_K_M
run kist verify small.kist
run kist predict small.kist 'The dog' -n 30
run kist convert world-llama -o world.gguf
run kist verify world.gguf --against world-llama

run kist convert tiny.kist -o out
run diff -r tiny-llama out && echo "no difference: the same bytes, file by file"

run cp tiny.kist edited.kist
run kist edit edited.kist set general.author=you
run kist diff tiny.kist edited.kist || [ $? = 1 ]

run kist keygen -o key.pem
run kist sign tiny.kist --key key.pem
run kist verify tiny.kist --key key.pem.pub

printf '\nDone. Now one of yours: %s convert ./model -o model.kist\n' "$kist"
