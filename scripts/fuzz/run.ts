import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { checkMemory, checkStore } from './check-end.ts';
import { type Failure, saveFailure } from './failure-file.ts';
import { Finding } from './finding.ts';
import type { Kind } from './kind.ts';
import type { Target } from './target.ts';
import { startWatch, type WatchReport } from './watch.ts';

export interface RunOptions {
  seed: number;
  /** Each kind ends after this time, in milliseconds, … */
  ms: number;
  /** … or after this many inputs of all kinds. */
  runs: number;
  /** The folder for inputs that failed. */
  failures: string;
  onFailure(failure: Failure, path: string): void;
  onProgress?(report: RunReport): void;
}

export interface RunReport {
  /** By kind, then by how they ended. */
  outcomes: ReadonlyMap<string, Map<string, number>>;
  inputs: number;
  failures: number;
  watch: WatchReport;
  memoryAfterBytes: number;
  storedObjects: number;
}

/** Alike failures are saved so often. */
const SAVED_ALIKE = 3;
const PROGRESS_MS = 10_000;
/** Of the inputs that a server may have ended of, the last ones. */
const MAX_SUSPECTS = 50;
/** Within this time it shows that a connection was closed because the server has ended. */
const EXIT_MS = 100;

/**
 * Sends inputs of all kinds at the same time, and checks meanwhile and afterwards that the server is well. Stops the target.
 *
 * An input depends on the seed, its kind and its number only; which ones meet at the server is up to chance.
 */
export async function run(kinds: readonly Kind[], target: Target, options: RunOptions): Promise<RunReport> {
  const inFlight = new Map<string, Omit<Failure, 'finding'>>();
  const alike = new Map<string, number>();
  const report = {
    outcomes: new Map(kinds.map(({ name }) => [name, new Map<string, number>()])),
    inputs: 0,
    failures: 0,
  };
  const saves: Promise<void>[] = [];

  const fail = (failure: Omit<Failure, 'finding'>, { message }: Finding) => {
    report.failures++;
    const key = `${failure.kind} ${message.replace(/\d+/g, '0').slice(0, 120)}`;
    const times = (alike.get(key) ?? 0) + 1;
    alike.set(key, times);
    if (times > SAVED_ALIKE) return;
    const saved = saveFailure(options.failures, { ...failure, finding: message });
    saves.push(saved.then((path) => options.onFailure({ ...failure, finding: message }, path)));
  };
  // Not the fault of a certain input: of one of those that were on their way.
  const suspects: Omit<Failure, 'finding'>[] = [];
  const failTogether = (finding: Finding) => {
    const input = [...suspects.slice(-MAX_SUSPECTS), ...inFlight.values()];
    fail({ kind: 'watch', seed: options.seed, index: report.inputs, input }, finding);
  };

  const watch = await startWatch(target, failTogether);
  const deadline = performance.now() + options.ms;
  let next = 0;
  const sendNext = async (kind: Kind, index: number) => {
    const [input] = fc.sample(kind.inputs, { seed: seedOf(options.seed, kind.name, index), numRuns: 1 });
    const failure = { kind: kind.name, seed: options.seed, index, input };
    const id = `${kind.name} ${index}`;
    inFlight.set(id, failure);
    const { server } = target;
    try {
      count(report.outcomes.get(kind.name), await kind.send(input, target));
    } catch (error) {
      await sleep(EXIT_MS);
      // A server that has ended is one failure of all that were on their way.
      if (server.exit() === undefined) fail(failure, asFinding(error));
      else suspects.push(failure);
    } finally {
      inFlight.delete(id);
      report.inputs++;
    }
  };
  const sendAll = async (kind: Kind) => {
    let index = 0;
    const sender = async () => {
      while (performance.now() < deadline && next < options.runs) {
        next++;
        await sendNext(kind, index++);
        // Inputs that are checked in this process would leave no time for answers of the server.
        await new Promise(setImmediate);
      }
    };
    await Promise.all(Array.from({ length: kind.concurrency }, sender));
  };
  const progress = setInterval(() => options.onProgress?.(reportNow()), PROGRESS_MS);
  await Promise.all(kinds.map(sendAll));
  clearInterval(progress);

  const memoryAfterBytes = await checkMemory(target, watch.report.memoryBeforeBytes).catch(
    orFail(failTogether),
  );
  await watch.stop();
  await target.server.stop();
  const storedObjects = await checkStore(target.storeFolder).catch(orFail(failTogether));
  await target.stop();
  await Promise.all(saves);
  return { ...reportNow(), memoryAfterBytes, storedObjects };

  function reportNow(): RunReport {
    return { ...report, watch: watch.report, memoryAfterBytes: 0, storedObjects: 0 };
  }
}

/** Anything else that is thrown is a fault of this program, or an answer that it did not expect: worth a look either way. */
function asFinding(error: unknown): Finding {
  return error instanceof Finding ? error : new Finding(String((error as Error).stack));
}

function orFail(fail: (finding: Finding) => void) {
  return (error: unknown): number => {
    fail(asFinding(error));
    return 0;
  };
}

function count(outcomes: Map<string, number> | undefined, outcome: string): void {
  outcomes?.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
}

/** A seed of 32 bits for each input (FNV-1a of its name). */
function seedOf(seed: number, kind: string, index: number): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(`${seed} ${kind} ${index}`)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}
