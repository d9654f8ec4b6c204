import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { startAdminService } from '../support/http/operator.ts';

/** The names of metrics in a text. */
function metricsIn(text: string): string[] {
  return [...new Set(text.match(/\b(?:edgepress|nodejs|process)_\w+/g))];
}

describe('The dashboard, the alert rules and the page for operators', () => {
  it.each([
    'examples/monitoring/grafana-dashboard.json',
    'examples/monitoring/prometheus-alerts.yaml',
    'docs/operations.md',
  ])('%s names metrics that exist', async (file) => {
    const { adminRequest } = await startAdminService({ ENCODER_PROCESSES: 'on', NOTIFY: '-' });
    const text = await (await adminRequest('GET', '/metrics')).text();
    const known = new Set([...text.matchAll(/^# HELP (\S+)/gm)].map(([, name]) => name));
    const named = metricsIn(await readFile(file, 'utf8'));
    expect(named.length).toBeGreaterThan(3);
    const unknown = named.filter(
      (name) => !known.has(name) && !known.has(name.replace(/_(bucket|sum|count)$/, '')),
    );
    expect(unknown).toEqual([]);
  });
});
