import { buildImageUrl } from '../../src/client/image-url.ts';
import { baseUrlOf, type Config } from '../../src/config.ts';
import type { ImageOutcome } from '../../src/unit/outcome.ts';

/** Returns the outcome of an image as the report has it: its variants with their URLs, signed if there is a signing key. */
export type ToReportLine = (outcome: ImageOutcome) => Promise<object>;

export function createToReportLine(config: Config): ToReportLine {
  const baseUrl = baseUrlOf(config);
  const [signingKey] = config.signingKeys;
  return async (outcome) => {
    if (outcome.state !== 'ready') return outcome;
    const { unit, src } = outcome;
    const variants = await Promise.all(
      outcome.variants.map(async (variant) => {
        const { width, tier, format } = variant;
        const url = await buildImageUrl({ baseUrl, unit, src, width, tier, format }, signingKey);
        return { url, ...variant };
      }),
    );
    return { ...outcome, variants };
  };
}
