import { describe, expect, it } from 'vitest';
import { OPTIONS } from '../../infra/options.ts';
import { readSettings } from '../../infra/settings.ts';
import { VARIABLES } from '../../src/config-variables.ts';
import { parseAllowPattern } from '../../src/source/allowlist.ts';

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

  it.each([
    ['https://*.müller.example/*', 'https://*.xn--mller-kva.example/*'],
    ['HTTP://Größe.example:8080/Bilder für*/', 'http://xn--gre-6ka8i.example:8080/Bilder%20f%C3%BCr*/'],
    ['https://müller.example', 'https://xn--mller-kva.example'],
    ['https://例え.テスト/', 'https://xn--r8jz45g.xn--zckzah/'],
    ['s3://bucket/b%20*', 's3://bucket/b%20*'],
  ])('write the source pattern %s in ASCII, meaning the same', (given, written) => {
    const { environment, config } = readSettings({ sourceAllow: `${given}, https://a.example/*` });
    expect(environment['SOURCE_ALLOW']).toBe(`${written},https://a.example/*`);
    expect(parseAllowPattern(written)).toEqual(config.sourceAllow[0]);
  });

  it('write JSON in ASCII, meaning the same', () => {
    // Over several lines, as it comes out of a file.
    const { environment } = readSettings({ sourceIgnoredParameters: '{\n\t"a.example": ["größe-*"]\n}' });
    const written = environment['SOURCE_IGNORED_PARAMETERS'] ?? '';
    expect(written).toMatch(/^[ -~]+$/);
    expect(JSON.parse(written)).toEqual({ 'a.example': ['größe-*'] });
  });

  it.each([
    [
      'sourceAllow',
      's3://bucket/größe/😀/*',
      /: write \* for each .*, as in s3:\/\/bucket\/gr\*\*e\/\*\*\/\*$/,
    ],
    ['ingestFrom', 's3://bucket/größe/', /would replace by "\?": it takes ASCII only$/],
  ])('are refused for a %s that CloudFormation would change', (name, value, message) => {
    expect(() => readSettings({ [name]: value })).toThrow(message);
  });
});
