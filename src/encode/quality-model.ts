/** How a draft of an encoding tells where its real settings reach a target; see `predictPosition`. */
export interface QualityModel {
  /** Weights of the features: how far from the draft's position the real settings reach the target. */
  position: readonly number[];
  /** The usual change of position for a point of score. */
  positionsPerPoint: number;
  /** The position at which drafts usually have a score of 70, and how far a point is from there. */
  draft: { at: number; perPoint: number };
  /** The logarithm of the ratio of bytes to those of the draft: at its position, and the rise with each position from there. */
  bytes: { start: number; perPosition: number };
}

/**
 * Fitted on 228 photographs of many cameras and phones, and on some 110 printed pages, drawings and screenshots, at widths of 320 to 800
 * pixels: each with drafts at three to seven qualities and final encodes near the targets of all tiers. They are ridge regressions in which outliers
 * count little. The comments have the errors for pictures that were left out of the fit (tenfold cross-validation), in points of score at the
 * median and at the 80th percentile. Models of letters are for all that is no photograph.
 *
 * `npm run fit:quality -- FOLDER` measures the pictures of a folder, fits the models and prints these lines.
 */
export const QUALITY_MODELS = {
  // 228 pictures: 0.86, 1.94
  avif: {
    position: [
      -1.308, 7.106, 1.221, 2.733, -0.075, 0.023, -0.081, -0.744, 0.358, 0.045, -0.043, 0.175, -0.819, 1.051,
      0.173, -0.233,
    ],
    positionsPerPoint: 0.645,
    draft: { at: 21.554, perPoint: 0.616 },
    bytes: { start: -0.075, perPosition: 0.058 },
  },
  // 97 pictures: 1.17, 3.64
  avifLetters: {
    position: [
      -1.525, 6.882, 1.904, 3.565, 0.115, -0.237, -0.955, -0.782, -0.354, 0.965, -0.026, 0.071, -1.012, 2.521,
      0.324, -0.978,
    ],
    positionsPerPoint: 0.703,
    draft: { at: 18.712, perPoint: 0.6 },
    bytes: { start: -0.045, perPosition: 0.044 },
  },
  // 228 pictures: 0.75, 1.71
  webp: {
    position: [
      -0.258, 8.978, 2.294, 4.578, -0.417, -0.594, -0.435, -0.51, -0.183, 0.539, -0.023, 0.247, 0.632, 0.341,
      0.17, 0.159,
    ],
    positionsPerPoint: 0.746,
    draft: { at: -67.732, perPoint: 0.812 },
    bytes: { start: -0.095, perPosition: 0.043 },
  },
  // 106 pictures: 1.30, 4.51
  webpLetters: {
    position: [
      -0.378, 9.22, 2.411, 4.102, -0.436, -0.624, -0.384, -0.429, 0.066, 0.041, 0.063, -0.03, 1.682, 1.033,
      0.381, -0.197,
    ],
    positionsPerPoint: 0.76,
    draft: { at: -69.925, perPoint: 0.696 },
    bytes: { start: -0.095, perPosition: 0.039 },
  },
  // 228 pictures: 0.65, 1.50
  jpeg: {
    position: [
      2.879, 13.519, 2.765, 4.803, -0.287, -0.034, 1.438, 1.417, -0.011, -0.027, 0.017, 0.03, 0.764, 3.666,
      0.02, 0.649,
    ],
    positionsPerPoint: 1.178,
    draft: { at: -85.668, perPoint: 1.154 },
    bytes: { start: -0.134, perPosition: 0.032 },
  },
  // 109 pictures: 1.31, 3.43
  jpegLetters: {
    position: [
      2.445, 14.57, 3.607, 6.09, -0.744, -0.388, 2.406, -0.109, 1.184, -0.176, -0.095, 0.479, 1.459, 8.326,
      0.436, 0.604,
    ],
    positionsPerPoint: 1.253,
    draft: { at: -86.15, perPoint: 1.132 },
    bytes: { start: -0.142, perPosition: 0.027 },
  },
  // 140 pictures: 1.38, 3.76
  jpeg444: {
    position: [
      1.921, 11.862, 3.527, 6.974, 0.158, -1.216, 2.855, 1.12, 0.865, -1.27, -0.489, -0.127, -2.697, 0.538,
      0.361, -0.96,
    ],
    positionsPerPoint: 1.062,
    draft: { at: -87.807, perPoint: 1.07 },
    bytes: { start: -0.152, perPosition: 0.03 },
  },
} satisfies Record<string, QualityModel>;
