import { wholeNumber } from '../../src/config-values.ts';
import { flag, numberAmong, option } from './option-values.ts';

/** What CloudWatch Logs takes: `RetentionInDays` of `AWS::Logs::LogGroup`. Not from CDK, which takes a second to load. */
const RETENTIONS = [
  ...[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288],
  3653,
];

/** How long the bucket and the logs keep what is in them. */
export const RETENTION_OPTIONS = {
  variantDays: option({
    type: wholeNumber(1, 36_500),
    default: { value: undefined, words: 'never' },
    doc: 'After how many days variants, manifests and source records are deleted.',
  }),
  deleteBucket: option({
    type: flag,
    default: 'false',
    doc: 'Whether the bucket is deleted with the stack; it must be emptied first. Otherwise the bucket stays.',
  }),
  logRetentionDays: option({
    type: numberAmong(RETENTIONS),
    default: '30',
    doc: 'How long the logs of the functions are kept, in days.',
  }),
};
