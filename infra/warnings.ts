import { CDN_REGION } from './alarm-metrics.ts';
import type { CheckedOptions } from './option-schema.ts';

/** Something that can be deployed, and is hardly what whoever deploys it wants. */
export interface Warning {
  /** The option. */
  readonly about: keyof CheckedOptions;
  readonly text: string;
}

/** Of an account's concurrency as AWS gives it at first, what may be reserved: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html */
const RESERVABLE = 900;

/**
 * @param options - checked
 * @param isGiven - whether somebody has set an option
 * @param region - of the stack, where it is known
 */
export function warningsOf(
  options: CheckedOptions,
  isGiven: (option: keyof CheckedOptions) => boolean,
  region: string | undefined,
): Warning[] {
  const warnings: Warning[] = [];
  if (options.sourceAllow === undefined)
    warnings.push({
      about: 'sourceAllow',
      text: "sourceAllow is not set: any public address may be fetched by whoever has a signed URL. Name your clients' servers: -c edgepress.sourceAllow='https://*.clients.example.com/*'",
    });
  const reserved = (options.imageReservedConcurrency ?? 0) + (options.workerReservedConcurrency ?? 0);
  if (reserved > RESERVABLE)
    warnings.push({
      about: 'imageReservedConcurrency',
      text: `imageReservedConcurrency and workerReservedConcurrency are ${reserved} together: of an account's concurrency, 1,000 at first, 100 cannot be reserved, and the deployment fails unless AWS has raised it. npm run deploy:check says what yours has`,
    });
  if (isGiven('accessLogDays') && !options.accessLogs)
    warnings.push({ about: 'accessLogDays', text: 'accessLogDays has no effect without accessLogs' });
  for (const about of ['alarmCdn5xxPercent', 'alarmCdn4xxPercent'] as const) {
    if (isGiven(about) && region !== CDN_REGION)
      warnings.push({
        about,
        text: `${about} has no effect: an alarm sees CloudFront's metrics in ${CDN_REGION} alone, and the stack is in ${region ?? 'whatever region it is deployed to'}`,
      });
  }
  return warnings;
}
