import { join } from 'node:path';
import { buildSync } from 'esbuild';
import type { Ladder } from '../../src/protocol/negotiation.ts';
import type { IgnoredParameters } from '../../src/protocol/source-identity.ts';
import { asciiJson } from '../ascii.ts';

const SOURCE = join(import.meta.dirname, '../../src/edge/viewer-request.ts');
/** CloudFront's limit on the code of a function. */
const MAX_BYTES = 10_240;

/**
 * What runtime 2.0 of CloudFront Functions has beyond ES 5.1. esbuild lowers the rest where it can, such as `?.`, and fails where it
 * cannot: destructuring, spread, `for…of` and classes are never deployed. It does not know that the runtime has no `await` within the
 * arguments of a call, which is checked here.
 */
const SUPPORTED = {
  'const-and-let': true,
  arrow: true,
  'template-literal': true,
  'async-await': true,
  'object-extensions': false,
} as const;

/**
 * Builds the viewer-request function from the code that the server uses, too.
 *
 * @param ladder - built into the code, as are the ignored parameters
 * @returns the code for CloudFront
 * @throws Error when the code uses what the runtime does not have, or is too long
 */
export function buildEdgeFunction(ladder: Ladder, ignored: readonly IgnoredParameters[] = []): string {
  const { outputFiles } = buildSync({
    entryPoints: [SOURCE],
    bundle: true,
    write: false,
    format: 'esm',
    // For CloudFormation, as all of a template.
    charset: 'ascii',
    target: 'es5',
    supported: SUPPORTED,
    external: ['cloudfront', 'crypto'],
    minify: true,
    define: { HAS_IGNORED_PARAMETERS: String(ignored.length > 0) },
    logLevel: 'silent',
  });
  const code = wrapHandler(outputFiles[0]?.text ?? '', ladder, ignored);
  if (/[(,]\s*await\b/.test(code))
    throw new Error(
      'the edge function has an await within the arguments of a call, which its runtime does not support',
    );
  const bytes = Buffer.byteLength(code);
  if (bytes > MAX_BYTES)
    throw new Error(`the edge function has ${bytes} bytes: CloudFront takes ${MAX_BYTES} at most`);
  return code;
}

/** CloudFront wants a function called `handler` instead of an export. */
function wrapHandler(
  module: string,
  { widths, defaultWidth }: Ladder,
  ignored: readonly IgnoredParameters[],
): string {
  const [exported, name] = /export\{(\w+) as handler\};?\s*$/.exec(module) ?? [];
  if (exported === undefined || name === undefined) throw new Error('the edge function exports no handler');
  return [
    module.slice(0, -exported.length),
    `var LADDER=${JSON.stringify({ widths, defaultWidth })};`,
    ...(ignored.length > 0 ? [`var IGNORED_PARAMETERS=${asciiJson(ignored)};`] : []),
    `async function handler(event){return await ${name}(event)}`,
    '',
  ].join('\n');
}
