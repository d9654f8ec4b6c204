import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { wholeNumber } from '../../src/config-values.ts';
import { flag, numberAmong, option } from './option-values.ts';

const RETENTIONS = Object.values(RetentionDays).filter(
  (days): days is RetentionDays => typeof days === 'number' && days !== RetentionDays.INFINITE,
);

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
