import type { CheckedOptions, OptionName } from './options.ts';
import { hasAccessLogs, NEAREST_SHIELD, nearestShieldRegion, regionFault } from './regions.ts';

/** Something wrong with options together, each of which is valid by itself. */
export interface CrossFieldFault {
  /** The options concerned. Where one of them is invalid by itself, this fault is not reported. */
  readonly options: readonly OptionName[];
  readonly message: string;
}

/**
 * Validates the options against the region of the stack.
 *
 * @param region - where it is known
 */
export function regionFaults(options: CheckedOptions, region: string | undefined): CrossFieldFault[] {
  return [
    ...serviceFaults(options, region),
    ...shieldFaults(options, region),
    ...topicFaults(options, region),
  ];
}

/** What the region does not have. */
function serviceFaults({ accessLogs }: CheckedOptions, region: string | undefined): CrossFieldFault[] {
  if (region === undefined) return [];
  const fault = regionFault(region);
  if (fault !== undefined) return [{ options: [], message: `region: ${fault.found}: ${fault.todo}` }];
  if (!accessLogs || hasAccessLogs(region)) return [];
  return [
    {
      options: ['accessLogs'],
      message: `accessLogs: CloudFront delivers no access logs to buckets in ${region}, as in other regions that have to be enabled first: leave it out, and turn on "standard logging (v2)" in CloudFront's console`,
    },
  ];
}

function shieldFaults({ originShieldRegion }: CheckedOptions, region: string | undefined): CrossFieldFault[] {
  if (originShieldRegion !== NEAREST_SHIELD || nearestShieldRegion(region ?? '') !== undefined) return [];
  return [
    {
      options: ['originShieldRegion'],
      message: `originShieldRegion: which is nearest to ${region ?? 'the stack'} is not known: name a region, or set AWS_REGION`,
    },
  ];
}

function topicFaults({ alarmTopicArn }: CheckedOptions, region: string | undefined): CrossFieldFault[] {
  const [, , , topicRegion] = alarmTopicArn?.split(':') ?? [];
  if (region === undefined || topicRegion === undefined || topicRegion === region) return [];
  return [
    {
      options: ['alarmTopicArn'],
      message: `alarmTopicArn: the topic is in ${topicRegion}, but the stack and its alarms are in ${region}, and an alarm only notifies topics of its own region`,
    },
  ];
}
