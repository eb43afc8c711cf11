#!/usr/bin/env bash
# What makes the searched cell of benchmarks/table2.sh better? Other searches, an earlier epoch, more channels.
# usage: benchmarks/remedies.sh OUT   -- OUT: as given to table2.sh, which has to be finished.
# One lane of one thread, about 75 minutes; what is finished is kept.
set -euo pipefail
out=$1
export OMP_NUM_THREADS=1
clips=(--data "$out/pack" --preset cpu --size-px 48 --workers 1)

search() { # NAME [MORE]
    [ -e "$out/$1/genotype.json" ] || vidnas search --resume "$out/$1" "${clips[@]}" --epochs 50 "${@:2}"
}
compare() { # FOLDER NETWORKS [MORE]
    vidnas compare --resume "$out/$1" "${clips[@]}" --epochs 30 --seeds 0,1,2 --networks "$2" "${@:3}"
}
search slow-alpha --alpha-lr 1e-3
search other-seed --seed 1
search second-order --order 2
early=$out/searched/genotypes/epoch-010.json
compare wider "$out/searched" --first-channels 10
compare depth "$out/searched,$early,$out/slow-alpha,$out/other-seed,$out/second-order,random:0,random:1,random:2"
mkdir -p "$out/remedies"
mv "$out"/depth/comparison.* "$out"/depth/tradeoff.* "$out/remedies/"
