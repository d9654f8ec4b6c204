/** What may import what. `npm run check` fails when this is broken, and when nothing was looked at. */
const inSource = { path: '^src/' };

/**
 * The layers of `src`, from the lowest to the highest: a module imports from its own layer and from those below it. Each entry is the
 * part of a path after `src/`, as a regular expression.
 */
const LAYERS = [
  'protocol/',
  '(aws-region|backoff|circuit-breaker|forward-to-standard-error|hashing|lock-table|locks|missing-resource|near-name|parse-url|share-calls|turns)\\.ts$',
  'telemetry/',
  'client/',
  'store/',
  'cdn/',
  'decode/',
  'encode/',
  'source/',
  'purge/',
  'variant/',
  'queue/',
  'unit/',
  'notify/',
  '(config|config-names|config-values|config-variables)\\.ts$',
  '(adapters|background-tasks|circuit-metrics|count-log|services|unit-services|metrics|source-access|source-hosts|store-access|tracing)\\.ts$',
  'cluster/',
  'edge/',
  'pages/',
  'http/',
  'demo/',
  'entry/',
];

/** One rule a layer: no imports from the layers above it. */
const layerRules = LAYERS.slice(0, -1).map((layer, index) => ({
  name: `no-upward-import-from-${
    layer
      .replace(/[^a-z-]+/g, ' ')
      .trim()
      .split(' ')[0]
  }`,
  comment: 'Imports point downwards only: see LAYERS in this file.',
  severity: 'error',
  from: { path: `^src/${layer}` },
  to: { path: `^src/(${LAYERS.slice(index + 1).join('|')})` },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    ...layerRules,
    {
      name: 'every-module-has-a-layer',
      comment: 'A new folder or file at the root of src has to be given its place in LAYERS.',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: `^src/(${LAYERS.join('|')})` },
    },
    {
      name: 'source-stands-alone',
      comment: 'src is what is deployed: nothing in it may need the stack, the commands or the tests.',
      severity: 'error',
      from: inSource,
      to: { path: '^(infra|scripts|test)/' },
    },
    {
      name: 'protocol-imports-nothing',
      comment: 'It also runs in a CloudFront Function: no package, no Node, only its own files.',
      severity: 'error',
      from: { path: '^src/protocol/' },
      to: { pathNot: '^src/protocol/' },
    },
    {
      name: 'edge-imports-protocol-only',
      comment: 'Beside it, the edge has what its runtime brings along: `cloudfront` and `crypto`.',
      severity: 'error',
      from: { path: '^src/edge/' },
      to: { pathNot: '^(src/(edge|protocol)/.+|cloudfront|crypto)$' },
    },
    {
      name: 'core-imports-ports-only',
      comment:
        'What makes, purges and prewarms variants knows the ports and what wraps them, never what implements them. A new file in these folders is an adapter unless it is named here.',
      severity: 'error',
      from: { path: '^src/(variant|purge|unit)/' },
      to: {
        path: '^src/(store|cdn|decode|encode|source|queue)/',
        pathNot:
          '^src/(store/(best-effort-)?store|cdn/cdn|decode/image-type|encode/encoder|source/(source|source-records|retry|host-slots)|queue/queue)\\.ts$',
      },
    },
    {
      name: 'core-imports-no-platform',
      comment: 'No Hono, AWS, sharp, undici or Node in it.',
      severity: 'error',
      from: { path: '^src/(variant|purge)/' },
      to: {
        path: ['^src/hashing\\.ts$', '^node:', 'node_modules/(hono|@hono|sharp|undici|@aws-sdk|pino)/'],
      },
    },
    {
      name: 'hono-in-http-only',
      severity: 'error',
      from: { ...inSource, pathNot: '^src/(pages|http|demo|entry)/' },
      to: { path: 'node_modules/(hono|@hono)/' },
    },
    {
      name: 'infra-imports-names-only',
      comment:
        'The stack reads options as the service does and uses its names; no code of the service runs at synthesis.',
      severity: 'error',
      from: { path: '^infra/', pathNot: '^infra/bundle/' },
      to: {
        path: '^src/',
        pathNot: '^src/(config(-values|-variables)?\\.ts$|source/(allowlist|source-headers)\\.ts$|protocol/)',
      },
    },
    {
      name: 'client-imports-protocol-and-hashes-only',
      comment:
        'It is bundled into one small file for browsers, workers and React Native: no Node, no Web API.',
      severity: 'error',
      from: { path: '^src/client/' },
      to: { pathNot: '^(src/(client|protocol)/|node_modules/@noble/hashes/)' },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: {
        orphan: true,
        pathNot: [
          '\\.config\\.ts$',
          '\\.d\\.ts$',
          '^src/pages/\\w+\\.browser\\.mjs$',
          '^src/(decode/decoders|encode)/(magick|pdfium|metric)-worker\\.mjs$',
        ],
      },
      to: {},
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      // `cloudfront` comes with the runtime of CloudFront Functions.
      to: { couldNotResolve: true, pathNot: '^cloudfront$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // AssemblyScript: another language with the same file extension.
    exclude: { path: '^src/encode/assembly/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
