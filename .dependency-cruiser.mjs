/** What may import what. `npm run check` fails when this is broken, and when nothing was looked at. */
const inSource = { path: '^src/' };
/** What also runs in a CloudFront Function. */
const SHARED_WITH_EDGE = [
  'error',
  'http/(faults|open-headers|problem)',
  'variant/(key|negotiate|request|resolve-request|result|signature|signing-keys|src-parameter)',
].join('|');

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'source-stands-alone',
      comment: 'src is what is deployed: nothing in it may need the stack, the commands or the tests.',
      severity: 'error',
      from: inSource,
      to: { path: '^(infra|scripts|test)/' },
    },
    {
      name: 'edge-code-imports-nothing',
      comment:
        'Parse, verify, negotiate, key and problems also run in a CloudFront Function: no package, no Node, only each other.',
      severity: 'error',
      from: { path: `^src/(${SHARED_WITH_EDGE})\\.ts$` },
      to: { pathNot: `^src/(${SHARED_WITH_EDGE})\\.ts$` },
    },
    {
      name: 'edge-has-what-its-runtime-has',
      comment: 'Beside the code that is shared: `cloudfront` and `crypto`, which that runtime brings along.',
      severity: 'error',
      from: { path: '^src/edge/' },
      to: { pathNot: `^(src/(edge/.+|${SHARED_WITH_EDGE})\\.(d\\.)?ts|cloudfront|crypto)$` },
    },
    {
      name: 'core-imports-no-adapter',
      comment:
        'The line of a request knows ports, not what implements them; and no Hono, AWS, sharp, undici or Node.',
      severity: 'error',
      from: { path: '^src/variant/' },
      to: {
        path: [
          '^src/(http|entry|demo|client)/',
          '^src/(config(-values)?|services|hashing)\\.ts$',
          '^src/source/(http|s3|guarded|address)',
          '^src/store/(file|s3)-',
          '^src/encode/(sharp|hevc|metric)',
          '^node:',
          'node_modules/(hono|@hono|sharp|undici|@aws-sdk|pino)/',
        ],
      },
    },
    {
      name: 'hono-in-http-only',
      severity: 'error',
      from: { ...inSource, pathNot: '^src/(http|demo|entry)/' },
      to: { path: 'node_modules/(hono|@hono)/' },
    },
    {
      name: 'stack-knows-words-not-work',
      comment:
        'The stack reads options as the service does, and names what it names; nothing of it runs here.',
      severity: 'error',
      from: { path: '^infra/', pathNot: '^infra/bundle/' },
      to: {
        path: '^src/',
        pathNot:
          '^src/(config(-values)?|source/allowlist|variant/(request|src-parameter|signature|negotiate|key|result))\\.ts$',
      },
    },
    {
      name: 'client-needs-nothing',
      comment: 'Callers copy the URL builder into their own programs.',
      severity: 'error',
      from: { path: '^src/client/' },
      to: {},
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: {
        orphan: true,
        pathNot: ['\\.config\\.ts$', '\\.d\\.ts$', '^src/encode/(hevc|metric)-worker\\.mjs$'],
      },
      to: {},
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      // That one comes with the runtime of CloudFront Functions.
      to: { couldNotResolve: true, pathNot: '^cloudfront$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Another language, of the same spelling.
    exclude: { path: '^src/encode/assembly/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
