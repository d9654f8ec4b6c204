import { NOT_TOLD } from '../../cdn/cdn.ts';

// Examples of what unit routes and webhooks get and send, for the description of the API. A test validates each against its schema.

const UNIT = 'unit-2';
const SRC = 'http://127.0.0.1:3001/allium-oreophilum.jpg';
const MISSING = 'http://127.0.0.1:3001/missing.jpg';
const TIME = '2026-11-28T15:04:05.678Z';
const SPEC = { width: 1080, tier: 'balanced', format: 'avif' };

const purged = {
  id: UNIT,
  purgedAt: TIME,
  cacheTag: 'u-e5b9c6d0a5c3e4b8a1f2d3c4b5a69788',
  objects: 4,
  bytes: 38214,
};
const untold = { invalidations: [], notTold: NOT_TOLD };

export const EXAMPLES = {
  unit: { id: UNIT, images: { front: SRC, back: MISSING } },
  lines: `${JSON.stringify({ id: 'unit-1', images: [SRC] })}\n${JSON.stringify({ id: UNIT, images: { front: SRC, back: MISSING } })}\n`,
  csv: `id,image_url\nunit-1,${SRC}\n`,
  ingested: { accepted: 2, images: 3, refusedCount: 0, refused: [] },
  nothingTaken: {
    ...{ type: 'about:blank', title: 'Bad Request', status: 400 },
    detail: 'No unit of the body could be taken: line 1: `images` is empty',
    ...{ code: 'bad_request', retryable: false },
    ...{ accepted: 0, images: 0, refusedCount: 1 },
    refused: [{ line: 1, unit: 'unit-1', state: 'refused', detail: '`images` is empty' }],
  },
  page: { state: 'broken', units: [{ id: UNIT, since: TIME }] },
  status: {
    id: UNIT,
    images: [
      {
        ...{ src: SRC, name: 'front', state: 'ready', sourceBytes: 171368 },
        variants: [
          {
            url: `http://127.0.0.1:3000/u/${UNIT}?src=${encodeURIComponent(SRC)}&w=1080&q=balanced&f=avif`,
            ...{ ...SPEC, type: 'image/avif', bytes: 16683, effort: 'best' },
          },
        ],
      },
      {
        ...{ src: MISSING, name: 'back', state: 'broken', code: 'source_not_found' },
        detail: 'status 404 from the source at 127.0.0.1:3001 for /missing.jpg',
        ...{ since: TIME, retryable: false, nextAttempt: '2026-11-28T16:04:05.678Z' },
      },
    ],
    totals: { ready: 1, broken: 1, pending: 0, sourceBytes: 171368, bytes: 16683 },
  },
  unsent: {
    id: UNIT,
    state: 'unsent',
    images: [
      {
        ...{ source: 'c5b4a1d2e3f4a5b6c7d8e9f0a1b2c3d4', state: 'ready', sourceBytes: 171368 },
        variants: [{ ...SPEC, type: 'image/avif', bytes: 16683, effort: 'fast' }],
      },
    ],
    totals: { ready: 1, broken: 0, pending: 0, sourceBytes: 171368, bytes: 16683 },
  },
  asked: {
    id: UNIT,
    prewarm: { widths: [1080], tiers: ['balanced'], formats: ['avif'] },
    variants: [{ width: 480, tier: 'balanced', format: 'webp', images: 1, state: 'asked' }],
    covering: { widths: [480, 1080], tiers: ['balanced'], formats: ['avif', 'webp'] },
  },
  purgedUnit: { ...purged, ...untold },
  purgeUnits: { ids: ['unit-1', UNIT] },
  purgedUnits: { units: [purged], ...untold },
  purgeGroup: { group: 'client-7' },
  purgedGroup: {
    ...{ group: 'client-7', units: 2, objects: 9, bytes: 270714 },
    ...{ cacheTags: ['g-0f1e2d3c4b5a69788796a5b4c3d2e1f0'], invalidations: [{ id: 'I2J4EXAMPLE', tags: 1 }] },
  },
  completed: {
    ...{ id: 'evt_5d41402abc4b2a76b9719d911017c592', type: 'unit.completed', timestamp: TIME },
    data: {
      ...{ unit: UNIT, submittedAt: '2026-11-28T15:04:01.234Z', ready: 1, broken: 1 },
      brokenImages: [{ src: MISSING, name: 'back', code: 'source_not_found', retryable: false }],
      ...{ brokenLeftOut: 0, bytes: 36809, sourceBytes: 171368, saved: 151244 },
    },
  },
  failed: {
    ...{ id: 'evt_9b74c9897bac770ffc029102a200c5de', type: 'unit.failed', timestamp: TIME },
    data: { unit: UNIT, submittedAt: '2026-11-28T15:04:01.234Z', detail: 'the store failed' },
  },
} as const;
