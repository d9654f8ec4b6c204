// The weight of each channel, scale and error map in a score.

export const SCALES: i32 = 6;
export const CHANNELS: i32 = 3;
export const MAPS: i32 = 6;

/**
 * A channel at a scale is skipped if all of its weights are below this. Skipping changes no score by 0.01 and saves half of the work: full
 * size then needs Y alone, and 1/32 nothing.
 */
const NEGLIGIBLE_WEIGHT: f64 = 0.01;

/** By channel, then scale: structure, ringing and blur as 1-norms, then the same three as 4-norms. */
const WEIGHTS: StaticArray<f64> = [
  0,
  0.0007376606707406586,
  0,
  0,
  0.0007793481682867309,
  0, // X 0
  0,
  0.0004371155730107379,
  0,
  1.1041726426657346,
  0.00066284834129271,
  0.00015231632783718752, // X 1
  0,
  0.0016406437456599754,
  0,
  1.8422455520539298,
  11.441172603757666,
  0, // X 2
  0.0007989109436015163,
  0.000176816438078653,
  0,
  1.8787594979546387,
  10.94906990605142,
  0, // X 3
  0.0007289346991508072,
  0.9677937080626833,
  0,
  0.00014003424285435884,
  0.9981766977854967,
  0.00031949755934435053, // X 4
  0.0004550992113792063,
  0,
  0,
  0.0013648766163243398,
  0,
  0, // X 5
  0,
  0,
  0,
  7.466890328078848,
  0,
  17.445833984131262, // Y 0
  0.0006235601634041466,
  0,
  0,
  6.683678146179332,
  0.00037724407979611296,
  1.027889937768264, // Y 1
  225.20515300849274,
  0,
  0,
  19.213238186143016,
  0.0011401524586618361,
  0.001237755635509985, // Y 2
  176.39317598450694,
  0,
  0,
  24.43300999870476,
  0.28520802612117757,
  0.0004485436923833408, // Y 3
  0,
  0,
  0,
  34.77906344483772,
  44.835625328877896,
  0, // Y 4
  0,
  0,
  0,
  0,
  0,
  0, // Y 5
  0,
  0.0008680556573291698,
  0,
  0,
  0,
  0, // B 0
  0,
  0.0005313191874358747,
  0,
  0.00016533814161379112,
  0,
  0, // B 1
  0,
  0,
  0,
  0.0004179171803251336,
  0.0017290828234722833,
  0, // B 2
  0.0020827005846636437,
  0,
  0,
  8.826982764996862,
  23.19243343998926,
  0, // B 3
  95.1080498811086,
  0.9863978034400682,
  0.9834382792465353,
  0.0012286405048278493,
  171.2667255897307,
  0.9807858872435379, // B 4
  0,
  0,
  0,
  0.0005130064588990679,
  0,
  0.00010854057858411537, // B 5
];

/** Whether a channel at a scale has a weight that is not negligible. */
export function matters(channel: i32, scale: i32): bool {
  for (let map = 0; map < MAPS; map++) {
    if (WEIGHTS[(channel * SCALES + scale) * MAPS + map] >= NEGLIGIBLE_WEIGHT) return true;
  }
  return false;
}

/** Returns the weighted error of a channel at a scale, from its six sums over `count` pixels. */
export function weigh(channel: i32, scale: i32, sums: usize, count: f64): f64 {
  let total: f64 = 0;
  for (let map = 0; map < MAPS; map++) {
    const mean = load<f64>(sums + ((<usize>map) << 3)) / count;
    total += WEIGHTS[(channel * SCALES + scale) * MAPS + map] * (map < 3 ? mean : Math.sqrt(Math.sqrt(mean)));
  }
  return total;
}
