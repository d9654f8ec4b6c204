import { join } from 'node:path';
import { buildSync } from 'esbuild';
import type { Ladder } from '../../src/protocol/negotiation.ts';

const SOURCE = join(import.meta.dirname, '../../src/edge/viewer-request.ts');
/** CloudFront's bound on the code of a function. */
const MAX_BYTES = 10_240;

/**
 * What runtime 2.0 of CloudFront Functions has beyond ES 5.1. Of the rest esbuild lowers what it can, such as `?.`, and refuses
 * what it cannot: destructuring, spread, `for…of` and classes never get as far as a deploy. What it does not know of the runtime
 * is that it takes no `await` within the arguments of a call.
 */
const SUPPORTED = {
  'const-and-let': true,
  arrow: true,
  'template-literal': true,
  'async-await': true,
  'object-extensions': false,
} as const;

/**
 * Builds the viewer-request function from the code that the server runs too.
 *
 * @param ladder - baked in
 * @returns the code that CloudFront takes
 * @throws Error when it uses what the runtime does not have, or is too long
 */
export function buildEdgeFunction(ladder: Ladder): string {
  const { outputFiles } = buildSync({
    entryPoints: [SOURCE],
    bundle: true,
    write: false,
    format: 'esm',
    charset: 'utf8',
    target: 'es5',
    supported: SUPPORTED,
    external: ['cloudfront', 'crypto'],
    minify: true,
    logLevel: 'silent',
  });
  const code = asFunction(outputFiles[0]?.text ?? '', ladder);
  if (/[(,]\s*await\b/.test(code))
    throw new Error('the edge function awaits within arguments: its runtime cannot');
  const bytes = Buffer.byteLength(code);
  if (bytes > MAX_BYTES)
    throw new Error(`the edge function has ${bytes} bytes: CloudFront takes ${MAX_BYTES}`);
  return code;
}

/** CloudFront wants no export, but a function of this name. */
function asFunction(module: string, { widths, defaultWidth }: Ladder): string {
  const [exported, name] = /export\{(\w+) as handler\};?\s*$/.exec(module) ?? [];
  if (exported === undefined || name === undefined) throw new Error('the edge function exports no handler');
  return [
    module.slice(0, -exported.length),
    `var LADDER=${JSON.stringify({ widths, defaultWidth })};`,
    `async function handler(event){return await ${name}(event)}`,
    '',
  ].join('\n');
}
