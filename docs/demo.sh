#!/bin/sh
# The main job, on a model in the repo: convert, inspect, verify, edit, and get the same bytes back.
# (Quantization comes with a later version.)
set -eu
kist=$1
model=Fixtures/tiny-llama
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

run() {
  printf '\n\033[1m$ kist %s\033[0m\n' "$(echo "$*" | sed "s|$folder/||g")"
  "$kist" "$@"
}

run convert $model -o "$folder/tiny.kist"
run inspect "$folder/tiny.kist"
run inspect "$folder/tiny.kist" --tensors 'model.layers.0.*' --stats
run show "$folder/tiny.kist" model.norm.weight '[0:8]'
run verify "$folder/tiny.kist"

run convert "$folder/tiny.kist" -o "$folder/out"
printf '\n\033[1m$ diff -r %s out\033[0m\n' $model
diff -r $model "$folder/out" && echo "no difference: the same bytes, file by file"

cp "$folder/tiny.kist" "$folder/edited.kist"
run edit "$folder/edited.kist" set general.author="You"
run diff "$folder/tiny.kist" "$folder/edited.kist" || true

run keygen -o "$folder/key.pem"
run sign "$folder/tiny.kist" --key "$folder/key.pem"
run verify "$folder/tiny.kist" --key "$folder/key.pem.pub"
printf '\nDone. Try it on a model of yours: kist convert ./model -o model.kist\n'
