import packageJson from '../../package.json' with { type: 'json' };
import type { Finding } from './finding.ts';

/** Whether this Node is one that the project runs on. */
export function checkNode(): Finding {
  const found = process.versions.node;
  const wanted = packageJson.engines.node.replace('>=', '');
  const isRight = found.localeCompare(wanted, 'en', { numeric: true }) >= 0;
  return isRight
    ? { state: 'ok', what: 'Node', found }
    : { state: 'missing', what: 'Node', found, todo: `install Node ${wanted} or later` };
}
