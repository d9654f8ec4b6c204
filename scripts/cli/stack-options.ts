import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OptionsError, readSettings, type Settings } from '../../infra/settings.ts';
import { readContext } from '../../infra/validation.ts';
import type { Context } from './options.ts';

/** Where CDK reads the options of the stack: the folder of the project, in which npm runs `cdk`. */
const CDK_JSON = join(import.meta.dirname, '../../cdk.json');

/**
 * Reads the options of the stack as a deployment does: `cdk.json`, overridden by the entries of the command line.
 *
 * @param region - of the stack, where it is known
 * @returns the settings, or what is wrong with the options, a line each
 */
export async function readStackOptions(
  context: Context,
  region?: string,
): Promise<{ settings: Settings; faults?: undefined } | { settings?: undefined; faults: readonly string[] }> {
  const cdkJson = JSON.parse(await readFile(CDK_JSON, 'utf8')) as { context?: object };
  const { options, faults } = readContext({ ...cdkJson.context, ...context });
  try {
    return { settings: readSettings(options, { region, faults }) };
  } catch (error) {
    if (error instanceof OptionsError) return { faults: error.faults };
    throw error;
  }
}
