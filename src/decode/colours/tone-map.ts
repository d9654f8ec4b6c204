import { CICP, type TransferFunction } from './cicp.ts';

/** The luminance of diffuse white in HDR, in cd/m² (ITU-R BT.2408-7, section 2.2). It is the unit of light here. */
const REFERENCE_WHITE = 203;

/** The luminance that an HDR image reaches if it does not say so, and the peak of the display that HLG is made for, in cd/m². */
const DEFAULT_PEAK = 1000;

/** The peak of PQ, in cd/m². */
const PQ_PEAK = 10_000;

/**
 * Returns the function of each channel of an HDR signal: the light of PQ (ITU-R BT.2100-2, table 4), or the light of the scene of HLG (table
 * 5), which {@link hlgDisplayGain} makes light of a display.
 */
export function hdrTransferOf(code: number): TransferFunction {
  return code === CICP.PQ ? pqEotf : hlgInverseOetf;
}

export function isHdrTransfer(code: number): boolean {
  return code === CICP.PQ || code === CICP.HLG;
}

function pqEotf(signal: number): number {
  const root = signal ** (32 / 2523);
  const light = Math.max(0, root - 3424 / 4096) / (2413 / 128 - (2392 / 128) * root);
  return (PQ_PEAK / REFERENCE_WHITE) * light ** (16384 / 2610);
}

function hlgInverseOetf(signal: number): number {
  const [a, b, c] = [0.17883277, 0.28466892, 0.55991073];
  return signal <= 0.5 ? signal ** 2 / 3 : (Math.exp((signal - c) / a) + b) / 12;
}

/** Returns the factor from the light of an HLG scene to that of a display of 1,000 cd/m² (the OOTF of ITU-R BT.2100-2, table 5). */
export function hlgDisplayGain(red: number, green: number, blue: number): number {
  const luminance = 0.2627 * red + 0.678 * green + 0.0593 * blue;
  return luminance > 0 ? (DEFAULT_PEAK / REFERENCE_WHITE) * luminance ** 0.2 : 0;
}

/**
 * Returns the tone map that browsers apply to HDR images which bring none, the reference white tone mapping operator of SMPTE ST 2094-50,
 * annex C, for a display without headroom. It maps light to light of such a display, from 0 to 1.
 *
 * Up to the reference white, light is scaled by a factor: 1/2 for images of 1,000 cd/m² and more. Highlights follow a quadratic Bézier curve
 * from there, with the same slope at first, up to white at the peak. It is applied to the brightest channel, in BT.2020, and the others are
 * scaled with it, so that hues stay.
 *
 * @param peak - the luminance of the brightest pixel, in cd/m²
 */
export function toneMap(peak: number = DEFAULT_PEAK): TransferFunction {
  const brightest = Math.min(PQ_PEAK, peak) / REFERENCE_WHITE;
  if (brightest <= 1) return (light) => Math.min(1, light);
  const white = 1 - 0.5 * Math.min(1, Math.log(brightest) / Math.log(DEFAULT_PEAK / REFERENCE_WHITE));
  const kappa = 0.65;
  const [middleX, middleY] = [1 - kappa + kappa / white, (1 - kappa) * white + kappa];
  const [ax, bx] = [1 - 2 * middleX + brightest, 2 * middleX - 2];
  const [ay, by] = [white - 2 * middleY + 1, 2 * middleY - 2 * white];
  return (light) => {
    if (light <= 1) return light * white;
    if (light >= brightest) return 1;
    const t = (2 * (light - 1)) / (bx + Math.sqrt(bx * bx + 4 * ax * (light - 1)));
    return white + t * (by + t * ay);
  };
}
