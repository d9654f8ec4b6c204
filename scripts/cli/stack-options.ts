import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OptionsError, readSettings, type Settings } from '../../infra/settings.ts';
import { readContext } from '../../infra/validation.ts';
import type { Context } from './options.ts';

/** Where CDK reads the options of the stack: the folder of the project, in which npm runs `cdk`, above `dist` and above this file. */
const CDK_JSONS = ['../cdk.json', '../../cdk.json'].map((path) => join(import.meta.dirname, path));

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
  const { options, faults } = readContext({ ...(await readCdkContext()), ...context });
  try {
    return { settings: readSettings(options, { region, faults }) };
  } catch (error) {
    if (error instanceof OptionsError) return { faults: error.faults };
    throw error;
  }
}

/** Returns the options in `cdk.json`; none in an installed package, which has no such file. */
async function readCdkContext(): Promise<object> {
  for (const path of CDK_JSONS) {
    try {
      return (JSON.parse(await readFile(path, 'utf8')) as { context?: object }).context ?? {};
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return {};
}
