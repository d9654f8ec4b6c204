import { wholeNumber } from '../../src/config-values.ts';
import { matching, option } from './option-values.ts';

const TOPIC = /^arn:aws:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}$/;
/** CloudFront's metrics, and so the alarms on them, are there. */
const CDN_TOPIC = /^arn:aws:sns:us-east-1:\d{12}:[\w-]{1,256}$/;
const percent = wholeNumber(1, 100);

/** Whom the alarms notify, and their thresholds. */
export const ALARM_OPTIONS = {
  alarmTopicArn: option({
    type: matching(TOPIC, 'the ARN of an SNS topic'),
    default: { value: undefined, words: 'none: alarms only show on the dashboard' },
    doc: "An SNS topic in the stack's region that is notified when an alarm goes off and when it clears.",
  }),
  viewerAlarmTopicArn: option({
    type: matching(CDN_TOPIC, 'the ARN of an SNS topic in us-east-1'),
    default: { value: undefined, words: 'none' },
    doc: 'The topic of the alarms on what viewers get, for a stack outside us-east-1: they are a stack of their own, which the output `RunbookViewerAlarms` deploys.',
  }),
  alarmFunctionUrl5xxPercent: option({
    type: percent,
    default: '25',
    doc: "Threshold of 5xx among the answers of the image function, in percent. Broken sources on the clients' servers count, too.",
  }),
  alarmCdn5xxPercent: option({
    type: percent,
    default: '5',
    doc: "Threshold of 5xx among the answers to viewers, in percent. This alarm is in us-east-1, as CloudFront's metrics: of other stacks, it is in the stack that the output `RunbookViewerAlarms` deploys.",
  }),
  alarmCdn4xxPercent: option({
    type: percent,
    default: '50',
    doc: 'Threshold of 4xx among the answers to viewers, in percent. In us-east-1, too.',
  }),
  alarmLatencySeconds: option({
    type: wholeNumber(1, 115),
    default: { value: undefined, words: 'two seconds more than `sourceTimeoutMs`' },
    doc: 'Threshold of the 99th percentile of the duration of the image function, in seconds.',
  }),
  alarmQueueAgeMinutes: option({
    type: wholeNumber(1, 14 * 24 * 60),
    default: '120',
    doc: 'Threshold of the age of the oldest message in the queue, in minutes. A message that failed is received again after an hour and a half.',
  }),
};
