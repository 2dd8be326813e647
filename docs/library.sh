#!/bin/sh
# sh docs/library.sh BUILD OUTPUT: the library's documentation as web pages, by the toolchain's own DocC, of what was built in the folder BUILD
# (.build/release). Serve OUTPUT by any web server and open /documentation/kist.
set -eu
build=$1 output=$2
modules="KistCore KistFormat KistCheckpoints KistTokenizers KistQuantization KistArchitectures KistInference KistConversion"
graphs=$(mktemp -d)
trap 'rm -rf "$graphs"' EXIT

# Where the modules of C are that ours are built on.
maps=
for map in Sources/C*/module.modulemap "$build"/C*.build/module.modulemap; do
  [ ! -f "$map" ] || maps="$maps -Xcc -fmodule-map-file=$map -I $(dirname "$map")"
done
target=$(swift -print-target-info | sed -n 's/.*"unversionedTriple" *: *"\([^"]*\)".*/\1/p')
for module in $modules; do
  # shellcheck disable=SC2086
  swift symbolgraph-extract -module-name "$module" -I "$build/Modules" $maps -target "$target" -output-dir "$graphs" \
    -minimum-access-level public
done
docc convert docs/Kist.docc --additional-symbol-graph-dir "$graphs" --fallback-display-name Kist \
  --fallback-bundle-identifier kist --transform-for-static-hosting --output-path "$output" >/dev/null 2>&1
echo "$output/index.html: serve the folder and open /documentation/kist"
