import type { ErrorCode } from '../error.ts';
import type { Format, Tier } from './request.ts';

/** A piece of work that was done, or tried. */
export type Work =
  | { kind: 'fetch'; ms: number; bytes: number }
  | { kind: 'encode'; ms: number; bytes: number; format: Format; tier: Tier }
  | { kind: 'broken'; code: ErrorCode };

/** Is told of each piece of work once, however many wait for it: metrics. */
export type ObserveWork = (work: Work) => void;
