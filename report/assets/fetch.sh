#!/usr/bin/env bash
# Makes the files of this folder anew from what others publish: NiiVue (npm) and DejaVu Sans (the system's fonts).
# They are committed, so that brainmesh builds without a network. Needs npm, gzip and fontTools (pyftsubset).
set -euo pipefail
cd "$(dirname "$0")"
niivue=0.69.0
dejavu=${DEJAVU:-/usr/share/fonts/truetype/dejavu}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent "@niivue/niivue@$niivue" >/dev/null && tar xzf niivue-niivue-"$niivue".tgz)
# What its file holds of others, with their licences.
(cd "$work" && npm install --silent --ignore-scripts --omit=dev --omit=optional "@niivue/niivue@$niivue" >/dev/null)
for folder in $(cd "$work/node_modules" && ls -d [!@.]*/ @*/*/ | sort); do
    case $folder in @niivue/niivue/) continue ;; esac
    echo "== $folder $(node -p "const p=require('$work/node_modules/$folder/package.json'); p.version+' '+p.license")"
    cat "$work/node_modules/$folder"/LICEN[SC]E* 2>/dev/null || echo "(no licence file; see its package.json)"
    echo
done > niivue.THIRD-PARTY
gzip --best --no-name --stdout "$work/package/dist/niivue.umd.js" > niivue.umd.js.gz

# Latin, Greek small letters, and the signs that figures use.
for style in "" -Bold; do
    pyftsubset "$dejavu/DejaVuSans$style.ttf" --output-file="DejaVuSans$style.ttf" --layout-features='kern' --no-hinting \
        --unicodes='U+20-7E,U+A0-17F,U+391-3C9,U+2010-2015,U+2018-201D,U+2022,U+2026,U+2032,U+2190-2193,U+2212,U+2248,U+2264,U+2265,U+25A0,U+25CF'
done
sha256sum niivue.umd.js.gz DejaVuSans.ttf DejaVuSans-Bold.ttf
