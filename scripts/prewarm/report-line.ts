import { imageUrl } from '../../src/client/image-url.ts';
import { baseUrlOf, type Config } from '../../src/config.ts';
import type { ImageOutcome } from '../../src/unit/outcome.ts';

/** Returns the outcome of an image as the report has it: its variants with their URLs, signed if there is a signing key. */
export type ToReportLine = (outcome: ImageOutcome) => object;

export function createToReportLine(config: Config): ToReportLine {
  const baseUrl = baseUrlOf(config);
  const [signingKey] = config.signingKeys;
  return (outcome) => {
    if (outcome.state !== 'ready') return outcome;
    const { unit, src } = outcome;
    const variants = outcome.variants.map((variant) => {
      const { width, tier, format } = variant;
      return { url: imageUrl({ baseUrl, unit, src, width, tier, format }, signingKey), ...variant };
    });
    return { ...outcome, variants };
  };
}
