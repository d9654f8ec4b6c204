import { describe, expect, it } from 'vitest';
import { OPTIONS } from '../../infra/options.ts';
import { readSettings } from '../../infra/settings.ts';
import { VARIABLES } from '../../src/config-variables.ts';

describe('the settings of the stack', () => {
  it('have a default for every option', () => {
    expect(readSettings({})).toMatchObject({ stackName: 'Edgepress', workerMaxConcurrency: 100 });
  });

  it('are the same for values given as text', () => {
    const typed = { widths: [320, 640], workerMaxConcurrency: 20, accessLogs: true, priceClass: '100' };
    const text = { widths: '320,640', workerMaxConcurrency: '20', accessLogs: 'true', priceClass: 100 };
    expect(readSettings(text)).toEqual(readSettings(typed));
  });

  it('have one encode for each vCPU that the memory comes with, unless the option says otherwise', () => {
    expect(readSettings({ workerMemoryMb: 3538 })).toMatchObject({
      imageConcurrency: 1,
      workerConcurrency: 2,
    });
    expect(readSettings({ workerMemoryMb: 3538, workerConcurrency: 4 })).toMatchObject({
      workerConcurrency: 4,
    });
  });

  it('have every variable of the options in the environment, except what is not set and has no text for that', () => {
    const names = Object.values(OPTIONS).flatMap((option) =>
      'variable' in option ? [option.variable.name] : [],
    );
    const { environment } = readSettings({});
    const unset = [
      ...['SOURCE_ALLOW', 'SOURCE_HEADERS', 'SOURCE_IGNORED_PARAMETERS', 'SOURCE_USER_AGENT'],
      ...['EMF_NAMESPACE', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'NOTIFY', 'NOTIFY_SECRET'],
      ...['PREWARM_FOR', 'PREWARM_FETCHES_PER_HOST', 'INGEST_FROM'],
    ];
    expect(Object.keys(environment)).toEqual(names.filter((name) => !unset.includes(name)));
  });

  it('set each variable by the option that has the name of its field', () => {
    for (const [name, option] of Object.entries(OPTIONS)) {
      if ('variable' in option) expect(VARIABLES[name as keyof typeof VARIABLES]).toBe(option.variable);
    }
  });
});
