import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Job } from '../../../src/queue/queue.ts';
import type { ImageOutcome } from '../../../src/unit/outcome.ts';
import type { Unit } from '../../../src/unit/unit.ts';
import type { Units } from '../../../src/unit/units.ts';
import { startOrigin, startService } from '../http/service.ts';
import { photograph } from '../pictures.ts';

/** How an origin answers, by path. */
export type Answers = Record<string, (response: ServerResponse, request: IncomingMessage) => void>;

export const answerNotFound = (response: ServerResponse) => void response.writeHead(404).end();

/** Starts an origin that answers with a photograph at every path except those given, and a service that may fetch from it. */
export async function setUpUnits(
  answers: Answers = {},
  env: Record<string, string> = {},
  replaced: Parameters<typeof startService>[1] = {},
) {
  const photo = await photograph();
  const origin = await startOrigin((request, response) => {
    const answer = answers[request.url ?? ''];
    if (answer) answer(response, request);
    else response.end(photo);
  });
  const service = await startService({ SOURCE_ALLOW_PRIVATE: origin.authority, ...env }, replaced);
  const { units } = service.unitServices;
  const src = (path: string) => `${origin.url}${path}`;

  /** Returns a unit with these sources. By default it wants two variants of each. */
  const unit = (sources: readonly string[], properties: Partial<Unit> = {}): Unit => ({
    id: 'unit-1',
    images: sources.map((source) => ({ src: source })),
    widths: [160],
    tiers: ['balanced'],
    formats: ['avif', 'webp'],
    ...properties,
  });

  /** Submits a unit and prewarms it. */
  async function prewarm(submitted: Unit, { retry = false } = {}) {
    return await runJob(units, await units.submit(submitted, { retry }));
  }
  return { photo, origin, service, units, src, unit, prewarm };
}

/** Prewarms the unit of a job. Returns the outcomes, and the error if it throws. */
export async function runJob(
  units: Pick<Units, 'prewarm'>,
  job: Job,
): Promise<{ outcomes: ImageOutcome[]; error: unknown }> {
  const outcomes: ImageOutcome[] = [];
  const error: unknown = await units
    .prewarm(job, (outcome) => outcomes.push(outcome))
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  return { outcomes, error };
}
