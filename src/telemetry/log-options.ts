import type { LoggerOptions } from 'pino';
import { currentLogFields } from './request-context.ts';

const NO_FIELDS: Record<string, never> = {};

/** Returns the options of a log whose lines have the ids of the request or job in whose context they are written. */
export function logOptions(level: string): LoggerOptions {
  return {
    level,
    mixin: () => currentLogFields() ?? NO_FIELDS,
    mixinMergeStrategy: (line, fields) => (fields === NO_FIELDS ? line : { ...fields, ...line }),
  };
}
