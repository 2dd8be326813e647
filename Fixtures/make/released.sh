#!/bin/sh
# Makes the files of Fixtures/released/: what each released version of Kist wrote, kept for ever. Run once, at a release:
#   sh Fixtures/make/released.sh VERSION KIST      for example 0.1 .build/release/kist
set -eu
cd "$(dirname "$0")/../.."
folder=Fixtures/released/$1
kist=$(realpath "$2")
[ ! -e "$folder" ] || { echo "$folder exists: released files never change" >&2; exit 1; }
mkdir -p "$folder"

for pack in auto none; do "$kist" convert Fixtures/dtypes.safetensors -o "$folder/dtypes-$pack.kist" --pack $pack --quiet; done
"$kist" convert Fixtures/tiny-llama-sharded -o "$folder/edited.kist" --quiet
"$kist" edit "$folder/edited.kist" set note=edited answer:u32=42 --quiet
"$kist" edit "$folder/edited.kist" rm generation_config.json --quiet
key=$(mktemp -d)
"$kist" keygen -o "$key/key.pem" --quiet
"$kist" sign "$folder/edited.kist" --key "$key/key.pem" --quiet
rm -r "$key"
for file in "$folder"/*.kist; do
  printf '%s\t%s\n' "$(basename "$file")" "$("$kist" inspect "$file" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["package_digest"])')"
done >"$folder/digests.tsv"
