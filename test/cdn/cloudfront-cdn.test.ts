import { EventEmitter, once } from 'node:events';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Cdn } from '../../src/cdn/cdn.ts';
import { type CloudFrontCdnOptions, createCloudFrontCdn } from '../../src/cdn/cloudfront-cdn.ts';
import { type CloudFrontStub, credentials, DISTRIBUTION, startCloudFront } from '../support/cloudfront.ts';

const throttled = { status: 400, code: 'Throttling', message: 'Rate exceeded' };
const tooMany = { status: 400, code: 'TooManyInvalidationsInProgress' };

describe('invalidate', () => {
  test('asks CloudFront, signed, to forget what has the tag', async () => {
    const cloudFront = await startCloudFront();
    const made = await cdnOf(cloudFront).invalidate(['u-6f0a']);
    expect(made).toEqual([{ id: 'I1', tags: 1 }]);
    expect(cloudFront.invalidations()).toEqual([['#u-6f0a']]);
  });

  test('asks nothing when there are no tags', async () => {
    const cloudFront = await startCloudFront();
    expect(await cdnOf(cloudFront).invalidate([])).toEqual([]);
    expect(cloudFront.calls).toEqual([]);
  });

  test('pays once for a tag that is given twice', async () => {
    const cloudFront = await startCloudFront();
    expect(await cdnOf(cloudFront).invalidate(['u-1', 'u-2', 'u-1'])).toEqual([{ id: 'I1', tags: 2 }]);
    expect(cloudFront.invalidations()).toEqual([['#u-1', '#u-2']]);
  });

  test.each([
    ['nothing', ''],
    ['a space', 'u 1'],
    ['a comma', 'u-1,u-2'],
    ['what is not ASCII', 'ü'],
    ['257 characters', 'u'.repeat(257)],
  ])('takes a tag of or with %s for a mistake, and asks nothing', async (_, tag) => {
    const cloudFront = await startCloudFront();
    await expect(cdnOf(cloudFront).invalidate(['u-1', tag])).rejects.toThrow(TypeError);
    expect(cloudFront.calls).toEqual([]);
  });

  test('needs no region, and signs for the one that CloudFront has whatever is configured', async () => {
    const cloudFront = await startCloudFront();
    for (const region of [undefined, 'ap-south-1']) {
      stubEnvironment({ AWS_REGION: region });
      expect(await cdnOf(cloudFront).invalidate(['u-1'])).toHaveLength(1);
    }
  });
});

describe('the limit on paths under way', () => {
  test('splits 7,000 tags into three calls, and is never gone over', async () => {
    const cloudFront = await startCloudFront({ looksUnderWay: 2 });
    const made = await cdnOf(cloudFront).invalidate(tags(7000));
    expect(made.map((invalidation) => invalidation.tags)).toEqual([3000, 3000, 1000]);
    expect(cloudFront.creates()).toHaveLength(3);
    expect(cloudFront.mostUnderWay()).toBe(3000);
    expect(new Set(cloudFront.invalidations().flat())).toEqual(new Set(tags(7000).map((tag) => `#${tag}`)));
  });

  test('is one for all calls at once', async () => {
    const cloudFront = await startCloudFront({ looksUnderWay: 2 });
    const cdn = cdnOf(cloudFront);
    await Promise.all([0, 1, 2, 3].map((unit) => cdn.invalidate(tags(1400, `u${unit}-`))));
    expect(cloudFront.creates()).toHaveLength(4);
    expect(cloudFront.mostUnderWay()).toBe(2800);
  });

  test('holds nobody up who fits', async () => {
    const cloudFront = await startCloudFront({ looksUnderWay: 2 });
    const cdn = cdnOf(cloudFront);
    await cdn.invalidate(tags(1400));
    await cdn.invalidate(tags(1600, 'more-'));
    expect(cloudFront.gets()).toEqual([]);
  });

  test('forgets what was waited for', async () => {
    const cloudFront = await startCloudFront();
    const cdn = cdnOf(cloudFront);
    await cdn.wait(await cdn.invalidate(tags(3000)));
    const looks = cloudFront.gets().length;
    await cdn.invalidate(tags(3000, 'more-'));
    expect(cloudFront.gets()).toHaveLength(looks);
  });

  test('forgets what is too old to be under way still, without a look; where it is all the same, it waits', async () => {
    const cloudFront = await startCloudFront();
    const cdn = cdnOf(cloudFront, { assumeCompleteAfterMs: 0 });
    for (const unit of ['a-', 'b-', 'c-']) await cdn.invalidate(tags(2000, unit));
    expect(cloudFront.gets()).toEqual([]);
    expect(cloudFront.invalidations()).toHaveLength(3);
  });

  test('does not count what is complete at once', async () => {
    const cloudFront = await startCloudFront({ looksUnderWay: -1 });
    const cdn = cdnOf(cloudFront);
    for (const unit of ['a-', 'b-', 'c-']) await cdn.invalidate(tags(2000, unit));
    expect(cloudFront.calls).toHaveLength(3);
  });
});

describe('a CloudFront with too much to do', () => {
  test('is asked for the same invalidation until it takes it on', async () => {
    const cloudFront = await startCloudFront({ fault: (_, nth) => (nth <= 20 ? tooMany : undefined) });
    expect(await cdnOf(cloudFront).invalidate(['u-1'])).toEqual([{ id: 'I1', tags: 1 }]);
    expect(cloudFront.creates()).toHaveLength(21);
    expect(references(cloudFront).size).toBe(1);
  });

  test('is asked for less at a time when others never leave room for the whole', async () => {
    const cloudFront = await startCloudFront({ others: 1 });
    const cdn = cdnOf(cloudFront);
    const made = await cdn.invalidate(tags(3000));
    expect(made.map((invalidation) => invalidation.tags)).toEqual([1500, 1500]);
    expect(new Set(cloudFront.invalidations().flat()).size).toBe(3000);
  });

  test('is asked again when it throttles, for longer than the SDK does', async () => {
    const cloudFront = await startCloudFront({ fault: (_, nth) => (nth <= 50 ? throttled : undefined) });
    const cdn = cdnOf(cloudFront);
    const made = await cdn.invalidate(['u-1', 'u-2']);
    // Less at a time would be more calls, which is what it complains of.
    expect(made).toEqual([{ id: 'I1', tags: 2 }]);
    expect(references(cloudFront).size).toBe(1);
    await cdn.wait(made);
    expect(cloudFront.gets()).toHaveLength(51);
  });

  test('fails whoever waits for it once the CDN is closed', async () => {
    const asked = new EventEmitter();
    const cloudFront = await startCloudFront({
      fault: ({ operation }, nth) => {
        if (operation === 'get' || nth === 1) return undefined;
        asked.emit('again');
        return tooMany;
      },
    });
    const cdn = cdnOf(cloudFront, { refusalDelayMs: 3_600_000 });
    const made = await cdn.invalidate(['u-1']);
    const again = once(asked, 'again');
    const outcomes = Promise.allSettled([cdn.invalidate(['u-2']), cdn.invalidate(['u-3'])]);
    await again;
    // By the time that this has been answered too, the refusal has arrived, and is being waited out.
    await cdn.wait(made);
    cdn.close();
    const reason = expect.objectContaining({ message: 'the CDN was closed before it had answered' });
    expect(await outcomes).toEqual(Array(2).fill({ status: 'rejected', reason }));
  });
});

describe('wait', () => {
  test('ends when all are complete', async () => {
    const cloudFront = await startCloudFront({ looksUnderWay: 3 });
    const cdn = cdnOf(cloudFront);
    const made = [...(await cdn.invalidate(['u-1'])), ...(await cdn.invalidate(['u-2']))];
    await cdn.wait(made);
    expect(cloudFront.gets().map(({ id }) => id)).toEqual([...Array(4).fill('I1'), ...Array(4).fill('I2')]);
  });

  test('is for those of another process too', async () => {
    const cloudFront = await startCloudFront();
    const made = await cdnOf(cloudFront).invalidate(['u-1']);
    await cdnOf(cloudFront).wait(made);
    expect(cloudFront.gets()).toHaveLength(1);
  });

  test('asks nothing when there is nothing to wait for', async () => {
    const cloudFront = await startCloudFront();
    await cdnOf(cloudFront).wait([]);
    expect(cloudFront.calls).toEqual([]);
  });
});

describe('a call that breaks', () => {
  test.each([
    ['an internal error', { status: 500, code: 'InternalError' }],
    ['a refusal to serve', { status: 503, code: 'ServiceUnavailable' }],
  ])('with %s is made again, as the same one', async (_, fault) => {
    const cloudFront = await startCloudFront({ fault: (_, nth) => (nth <= 3 ? fault : undefined) });
    expect(await cdnOf(cloudFront).invalidate(['u-1'])).toEqual([{ id: 'I1', tags: 1 }]);
    expect(cloudFront.creates()).toHaveLength(4);
    expect(references(cloudFront).size).toBe(1);
  });

  test('after it was taken on is made again, and not paid for twice', async () => {
    const cloudFront = await startCloudFront({
      fault: (_, nth) => (nth <= 2 ? 'lose the answer' : undefined),
    });
    expect(await cdnOf(cloudFront).invalidate(['u-1'])).toEqual([{ id: 'I1', tags: 1 }]);
    expect(cloudFront.creates()).toHaveLength(3);
    expect(cloudFront.invalidations()).toHaveLength(1);
  });

  test('for ever is an error that says of what', async () => {
    const cloudFront = await startCloudFront({ fault: () => ({ status: 500, code: 'InternalError' }) });
    await expect(cdnOf(cloudFront).invalidate(['u-1'])).rejects.toThrow(
      /CreateInvalidation on distribution E2EXAMPLE: InternalError/,
    );
    // So does whoever comes next: one that failed holds up nobody.
    await expect(cdnOf(cloudFront).invalidate(['u-2'])).rejects.toThrow('InternalError');
  });

  test('does not make another call use its reference', async () => {
    const cloudFront = await startCloudFront();
    const cdn = cdnOf(cloudFront);
    await cdn.invalidate(['u-1']);
    await cdn.invalidate(['u-1']);
    expect(cloudFront.invalidations()).toHaveLength(2);
  });
});

describe('a refusal', () => {
  test('of a distribution that is not there names it, and what sets it', async () => {
    const cdn = cdnOf(await startCloudFront(), { distribution: 'E1GONE' });
    const message = 'CloudFront knows no distribution E1GONE: CDN must name one';
    await expect(cdn.invalidate(['u-1'])).rejects.toThrow(message);
    await expect(cdn.wait([{ id: 'I1', tags: 1 }])).rejects.toThrow(message);
  });

  test('of access names the permission that is missing, and who has not got it', async () => {
    const message = 'User: arn:aws:iam::1:user/me is not authorized';
    const cloudFront = await startCloudFront({
      fault: () => ({ status: 403, code: 'AccessDenied', message }),
    });
    const cdn = cdnOf(cloudFront);
    await expect(cdn.invalidate(['u-1'])).rejects.toThrow(
      `needs the permission cloudfront:CreateInvalidation (${message})`,
    );
    await expect(cdn.wait([{ id: 'I1', tags: 1 }])).rejects.toThrow('permission cloudfront:GetInvalidation');
    expect(cloudFront.calls).toHaveLength(2);
  });

  test('stops a purge of thousands at once, and not the ones after it', async () => {
    const cloudFront = await startCloudFront({
      fault: (_, nth) => (nth === 1 ? { status: 403, code: 'AccessDenied' } : undefined),
    });
    const cdn = cdnOf(cloudFront);
    await expect(cdn.invalidate(tags(7000))).rejects.toThrow('cloudfront:CreateInvalidation');
    expect(cloudFront.creates()).toHaveLength(1);
    expect(await cdn.invalidate(['u-1'])).toHaveLength(1);
  });
});

function cdnOf({ endpoint }: CloudFrontStub, options: Partial<CloudFrontCdnOptions> = {}): Cdn {
  const cdn = createCloudFrontCdn({
    distribution: DISTRIBUTION,
    endpoint,
    credentials,
    pollIntervalMs: 1,
    refusalDelayMs: 1,
    retryDelayMs: 1,
    ...options,
  });
  onTestFinished(() => cdn.close());
  return cdn;
}

function tags(count: number, prefix = 'u-'): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

function references(cloudFront: CloudFrontStub): Set<string> {
  return new Set(cloudFront.creates().map(({ callerReference }) => callerReference));
}

function stubEnvironment(variables: Record<string, string | undefined>): void {
  const none = { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };
  for (const [name, value] of Object.entries({ ...none, ...variables })) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
}
