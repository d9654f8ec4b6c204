/** Steps of linear light: the darkest level of sRGB has twenty of them. */
const STEPS = 65_535;

let levels: Uint8Array | undefined;

/** Returns a function that encodes linear light as a level of sRGB from 0 to 255 (IEC 61966-2-1). Light below 0 and above 1 is clipped. */
export function srgbEncoder(): (light: number) => number {
  levels ??= Uint8Array.from({ length: STEPS + 1 }, (_, step) => {
    const light = step / STEPS;
    return Math.round(255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055));
  });
  const table = levels;
  return (light) => table[Math.min(STEPS, Math.max(0, Math.round(light * STEPS)))] as number;
}
