import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ImageOutcome } from '../../../src/unit/outcome.ts';
import type { Unit } from '../../../src/unit/unit.ts';
import { startOrigin, startService } from '../http/service.ts';
import { photograph } from '../pictures.ts';

export type Answers = Record<string, (response: ServerResponse, request: IncomingMessage) => void>;

/** A client's server with a photograph at every path but those named, and a service that may fetch from it. */
export async function setUpUnits(answers: Answers = {}, env: Record<string, string> = {}) {
  const photo = await photograph();
  const origin = await startOrigin((request, response) => {
    const answer = answers[request.url ?? ''];
    if (answer) answer(response, request);
    else response.end(photo);
  });
  const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority, ...env });
  const { units } = service.unitServices;
  const src = (path: string) => `${origin.url}${path}`;
  const unit = (images: readonly string[], said: Partial<Unit> = {}): Unit => ({
    id: 'unit-1',
    images: images.map((image) => ({ src: image })),
    widths: [160],
    tiers: ['balanced'],
    formats: ['avif', 'webp'],
    ...said,
  });

  /** Hands a unit over and prewarms it; a fault stands beside the outcomes. */
  async function prewarm(handed: Unit, { retry = false } = {}) {
    const job = await units.submit(handed, { retry });
    const outcomes: ImageOutcome[] = [];
    const fault = await units
      .prewarm(job, (outcome) => outcomes.push(outcome))
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    return { outcomes, fault };
  }
  return { photo, origin, service, units, src, unit, prewarm };
}
