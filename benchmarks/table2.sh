#!/usr/bin/env bash
# The paper's Table 2 on ucf101_5, official split 1: searched, random, hand-designed, all by one recipe.
# usage: benchmarks/table2.sh DATA OUT   -- DATA: the folder ucf101_5; OUT: where run folders and tables go.
# Two lanes of one thread each keep two cores busy for about four hours; what is finished is kept.
set -euo pipefail
data=$1 out=$2
export OMP_NUM_THREADS=1
recipe=(--data "$out/pack" --preset cpu --size-px 48 --epochs 30 --workers 1)

compare() { # FOLDER NETWORKS [MORE]
    vidnas compare --resume "$out/$1" "${recipe[@]}" --networks "$2" "${@:3}"
}
searched=$out/searched
cells=$searched,random:0,random:1,random:2
small=3d-mobilenetv2-0.45,3d-shufflenet-0.5,3d-shufflenet-1.0,x3d-xs,movinet-a0,2d-resnet-18
large=3d-resnet-18-a,stc-resnet-18,3d-resnet-50,stc-resnet-50,3d-resnet-101,stc-resnet-101
three=(--seeds 0,1,2)
minutes=(--minutes 4 "${three[@]}")

light() {
    [ -e "$searched/genotype.json" ] ||
        vidnas search --resume "$searched" --data "$out/pack" --preset cpu --size-px 48 --epochs 50 --workers 1
    compare depth "$cells,3d-resnet-18" "${three[@]}"
    compare depth "all-skip,best-of:5,$small"
    compare depth "$searched" --depths 2,3,4,5,6,7,8 "${three[@]}"
    compare time-cells "$searched,random:0" "${minutes[@]}"
}
heavy() {
    compare table "c3d-8,$large"
    # C3D has no batch norm and only guesses at the common rate: once more at a lower one, by 8 and by 16 frames.
    compare lowest-rate c3d-8 --lr 1e-4 "${three[@]}"
    compare sixteen c3d --lr 1e-4 --segments 8
    compare time 3d-resnet-18 "${minutes[@]}"
    compare time-lowest-rate c3d-8 --lr 1e-4 "${minutes[@]}"
}

[ -e "$out/pack/pack.index" ] || vidnas pack --data "$data" --out "$out/pack"
light & first=$!
heavy
wait "$first"

# What belongs into one table each: the run folders of one lane beside those of the other.
cp -r "$out/depth/runs/." "$out/table/runs/"
compare table "$cells,all-skip,best-of:5,3d-resnet-18,$large,c3d-8,$small" --paper
cp -r "$out/time-cells/runs/." "$out/time/runs/"
compare time "$searched,random:0,3d-resnet-18" "${minutes[@]}"
