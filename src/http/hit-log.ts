import { type Logger, symbols } from 'pino';
import { msOf, roundMs, type Trace } from '../variant/trace.ts';

/** A hit in memory that has been answered. */
export interface AnsweredHit {
  method: string;
  status: number;
  trace: Trace;
  totalMs: number;
}

/**
 * Writes the log line of a hit in memory.
 *
 * @param traceId - of the caller, if the request says which
 */
export type LogHit = (hit: AnsweredHit, traceId: string | undefined) => void;

/** What this needs of a logger beside its methods. `pino.symbols` is pino's interface for programs that add to it. */
interface LoggerState {
  /** The fields of each line, as JSON: `,"pid":1`. */
  [symbols.chindingsSym]: string;
  /** Returns the time, as JSON: `,"time":1`. */
  [symbols.timeSym](): string;
  [symbols.streamSym]: { write(line: string): void };
}

/**
 * Returns what writes the same line as the logger would. The logger goes through the fields one by one, most of which a hit does not have: that
 * takes a tenth of the time of a hit.
 */
export function createHitLog(log: Logger): LogHit {
  const state = log as Logger & LoggerState;
  const level = log.levels.values['info'];
  return ({ method, status, trace, totalMs }, traceId) => {
    if (!log.isLevelEnabled('info')) return;
    const { requestId, unit, sourceHost, bytesOut = 0 } = trace;
    const storeMs = roundMs(msOf(trace, 'store', undefined));
    // Ids, methods and units have no character that JSON would escape.
    state[symbols.streamSym].write(
      `{"level":${level}${state[symbols.timeSym]()}${state[symbols.chindingsSym]},"requestId":"${requestId}"${
        traceId === undefined ? '' : `,"traceId":"${traceId}"`
      },"method":"${method}","status":${status},"outcome":"hit","unit":"${unit}","sourceHost":${JSON.stringify(
        sourceHost,
      )},"bytesOut":${bytesOut},"storeMs":${storeMs},"totalMs":${roundMs(totalMs)},"msg":"request"}\n`,
    );
  };
}
