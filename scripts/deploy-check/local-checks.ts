import type { Settings } from '../../infra/settings.ts';
import packageJson from '../../package.json' with { type: 'json' };
import type { Context } from '../cli/options.ts';
import { readStackOptions } from '../cli/stack-options.ts';
import type { Finding } from './finding.ts';

/** Checks that this version of Node is supported by the project. */
export function checkNode(): Finding {
  const found = process.versions.node;
  const wanted = packageJson.engines.node.replace('>=', '');
  const isSupported = found.localeCompare(wanted, 'en', { numeric: true }) >= 0;
  return isSupported
    ? { state: 'ok', what: 'Node', found }
    : { state: 'missing', what: 'Node', found, todo: `install Node ${wanted} or later` };
}

/**
 * Checks the options of the stack as `cdk deploy` will.
 *
 * @returns a finding for each fault, or one with the warnings; and the settings if there is no fault
 */
export async function checkOptions(
  context: Context,
  region: string | undefined,
): Promise<{ findings: readonly Finding[]; settings: Settings | undefined }> {
  const what = 'options';
  const { settings, faults } = await readStackOptions(context, region);
  if (faults !== undefined)
    return {
      settings,
      findings: faults.map((found) => ({ state: 'missing', what, found, todo: 'correct it in cdk.json' })),
    };
  const warnings = settings.warnings.map(({ text }) => text).join(`\n${' '.repeat(33)}→ `);
  const finding: Finding = { state: 'ok', what, found: 'those of cdk.json are valid' };
  return { settings, findings: [warnings === '' ? finding : { ...finding, todo: warnings }] };
}
