#!/bin/sh
# sh Fixtures/make/tiny_model.sh KIST [FOLDER]
#
# Learns a tokenizer and trains the small Llama of Fixtures/world-llama on the world of world.py, by Kist alone: minutes on two cores.
# FOLDER (tiny-model) gets model.kist, and the same in bf16 as a Hugging Face directory. To put that in the place of Fixtures/world-llama:
# cp FOLDER/model/tokenizer.json FOLDER/model/model.safetensors Fixtures/world-llama && python Fixtures/make/world_goldens.py
set -eu
kist=$1
folder=${2:-tiny-model}
here=$(dirname "$0")
mkdir -p "$folder"

python3 "$here/world.py" -o "$folder/world.txt"
"$kist" tokenizer train "$folder/world.txt" --vocab-size 1024 --special-token '<|endoftext|>' -o "$folder/tokenizer.json" --force
# The end token stands before every eighth line.
awk 'NR % 8 == 1 { printf "<|endoftext|>" } { print }' "$folder/world.txt" > "$folder/corpus.txt"
"$kist" train --config "$here/../world-llama/config.json" --corpus "$folder/corpus.txt" --tokenizer "$folder/tokenizer.json" \
  -o "$folder/model.kist" --curve "$folder/loss.svg" --force \
  --steps 2640 --batch 4 --context 256 --lr 0.002 --min-lr 0 --warmup 100 --beta2 0.98 --held-out 0.005 --seed 2 --no-state
rm -rf "$folder/model"
"$kist" convert "$folder/model.kist" -o "$folder/model" --type bf16
"$kist" analogy "$folder/model" king man woman -k 3
"$kist" predict "$folder/model" "Once upon a time there lived a king" -n 30
