import { randomFillSync } from 'node:crypto';

// https://www.w3.org/TR/trace-context/

/** What a `traceparent` header says. */
export interface Traceparent {
  /** 32 hex digits. */
  traceId: string;
  /** The span of the caller: 16 hex digits. */
  parentId: string;
  /** Whether the caller records the trace. */
  sampled: boolean;
}

/** Section 3.2. A later version may have more fields after these four, and is read as this one. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 1;

/** Parses a `traceparent` header. Returns `undefined` if there is none, or it is not valid: then a trace starts here. */
export function parseTraceparent(header: string | null | undefined): Traceparent | undefined {
  if (!header) return undefined;
  const [, version, traceId = '', parentId = '', flags = '', more] = TRACEPARENT.exec(header) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return undefined;
  return { traceId, parentId, sampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}

/** Returns the value of a `traceparent` header. */
export function formatTraceparent({ traceId, parentId, sampled }: Traceparent): string {
  return `00-${traceId}-${parentId}-${sampled ? '01' : '00'}`;
}

/** Returns a new trace that nobody records: its id still joins the log lines of all services. */
export function createTraceparent(): Traceparent {
  const hex = randomHex();
  return { traceId: hex.slice(0, 32), parentId: hex.slice(32), sampled: false };
}

const ID_BYTES = 24;
/** Random bytes cost as much for a hundred ids as for one. */
const random = Buffer.alloc(100 * ID_BYTES);
let used = random.length;

function randomHex(): string {
  if (used === random.length) {
    randomFillSync(random);
    used = 0;
  }
  used += ID_BYTES;
  return random.toString('hex', used - ID_BYTES, used);
}

/**
 * Parses what X-Ray calls a tracing header, which AWS Lambda puts into `_X_AMZN_TRACE_ID`: `Root=1-{8 hex}-{24 hex};Parent={16 hex};Sampled=1`.
 * Its trace id without dashes is one of W3C.
 */
export function parseXrayHeader(header: string | undefined): Traceparent | undefined {
  const fields = Object.fromEntries((header ?? '').split(';').map((field) => field.split('=', 2)));
  const [, seconds, random] = /^1-([0-9a-f]{8})-([0-9a-f]{24})$/.exec(fields['Root'] ?? '') ?? [];
  const flags = fields['Sampled'] === '1' ? '01' : '00';
  return parseTraceparent(`00-${seconds}${random}-${fields['Parent']}-${flags}`);
}
