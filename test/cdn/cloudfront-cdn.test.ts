import { EventEmitter, once } from 'node:events';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Cdn, WaitProgress } from '../../src/cdn/cdn.ts';
import { type CloudFrontCdnOptions, createCloudFrontCdn } from '../../src/cdn/cloudfront-cdn.ts';
import { type CloudFrontStub, credentials, DISTRIBUTION, startCloudFront } from '../support/cloudfront.ts';

const throttled = { status: 400, code: 'Throttling', message: 'Rate exceeded' };
const tooMany = { status: 400, code: 'TooManyInvalidationsInProgress' };

describe('invalidate of the CloudFront adapter', () => {
  it('sends CloudFront a signed call with the tag', async () => {
    const cloudFront = await startCloudFront();
    const made = await cdnOf(cloudFront).invalidate(['u-6f0a']);
    expect(made).toEqual([{ id: 'I1', tags: 1 }]);
    expect(cloudFront.invalidations()).toEqual([['#u-6f0a']]);
  });

  it('sends nothing when there are no tags', async () => {
    const cloudFront = await startCloudFront();
    expect(await cdnOf(cloudFront).invalidate([])).toEqual([]);
    expect(cloudFront.calls).toEqual([]);
  });

  it('sends a tag once that is given twice', async () => {
    const cloudFront = await startCloudFront();
    expect(await cdnOf(cloudFront).invalidate(['u-1', 'u-2', 'u-1'])).toEqual([{ id: 'I1', tags: 2 }]);
    expect(cloudFront.invalidations()).toEqual([['#u-1', '#u-2']]);
  });

  it.each([
    ['that is empty', ''],
    ['with a space', 'u 1'],
    ['with a comma', 'u-1,u-2'],
    ['that is not ASCII', 'ü'],
    ['of 257 characters', 'u'.repeat(257)],
  ])('throws a TypeError for a tag %s, and sends nothing', async (_name, tag) => {
    const cloudFront = await startCloudFront();
    await expect(cdnOf(cloudFront).invalidate(['u-1', tag])).rejects.toThrow(TypeError);
    expect(cloudFront.calls).toEqual([]);
  });

  it('needs no configured region, and signs for CloudFront’s own whatever is configured', async () => {
    const cloudFront = await startCloudFront();
    for (const region of [undefined, 'ap-south-1']) {
      stubEnvironment({ AWS_REGION: region });
      expect(await cdnOf(cloudFront).invalidate(['u-1'])).toHaveLength(1);
    }
  });
});

describe('invalidate of the CloudFront adapter, within the limit on paths in progress', () => {
  it('splits 7,000 tags into three calls that wait for each other', async () => {
    const cloudFront = await startCloudFront({ pollsInProgress: 2 });
    const made = await cdnOf(cloudFront).invalidate(tags(7000));
    expect(made.map((invalidation) => invalidation.tags)).toEqual([3000, 3000, 1000]);
    expect(cloudFront.creates()).toHaveLength(3);
    expect(cloudFront.maxPathsInProgress()).toBe(3000);
    expect(new Set(cloudFront.invalidations().flat())).toEqual(new Set(tags(7000).map((tag) => `#${tag}`)));
  });

  it('shares the limit between concurrent calls', async () => {
    const cloudFront = await startCloudFront({ pollsInProgress: 2 });
    const cdn = cdnOf(cloudFront);
    await Promise.all([0, 1, 2, 3].map((unit) => cdn.invalidate(tags(1400, `u${unit}-`))));
    expect(cloudFront.creates()).toHaveLength(4);
    expect(cloudFront.maxPathsInProgress()).toBe(2800);
  });

  it('delays no call that fits', async () => {
    const cloudFront = await startCloudFront({ pollsInProgress: 2 });
    const cdn = cdnOf(cloudFront);
    await cdn.invalidate(tags(1400));
    await cdn.invalidate(tags(1600, 'more-'));
    expect(cloudFront.gets()).toEqual([]);
  });

  it('no longer counts an invalidation that a caller has waited for', async () => {
    const cloudFront = await startCloudFront();
    const cdn = cdnOf(cloudFront);
    await cdn.wait(await cdn.invalidate(tags(3000)));
    const looks = cloudFront.gets().length;
    await cdn.invalidate(tags(3000, 'more-'));
    expect(cloudFront.gets()).toHaveLength(looks);
  });

  it('no longer counts an invalidation that is old enough to be complete, without asking for its state', async () => {
    const cloudFront = await startCloudFront();
    const cdn = cdnOf(cloudFront, { assumeCompleteAfterMs: 0 });
    for (const unit of ['a-', 'b-', 'c-']) await cdn.invalidate(tags(2000, unit));
    expect(cloudFront.gets()).toEqual([]);
    expect(cloudFront.invalidations()).toHaveLength(3);
  });

  it('waits no longer than that for one whose state is none that it knows', async () => {
    const cloudFront = await startCloudFront({ words: { completed: 'Well' } });
    const cdn = cdnOf(cloudFront, { assumeCompleteAfterMs: 200 });
    for (const unit of ['a-', 'b-']) await cdn.invalidate(tags(2000, unit));
    expect(cloudFront.invalidations()).toHaveLength(2);
  });

  it('does not count an invalidation that is complete when it is created', async () => {
    const cloudFront = await startCloudFront({ pollsInProgress: -1 });
    const cdn = cdnOf(cloudFront);
    for (const unit of ['a-', 'b-', 'c-']) await cdn.invalidate(tags(2000, unit));
    expect(cloudFront.calls).toHaveLength(3);
  });
});

describe('a busy CloudFront', () => {
  it('is sent the same invalidation until it accepts it', async () => {
    const cloudFront = await startCloudFront({ fault: (_, nth) => (nth <= 20 ? tooMany : undefined) });
    expect(await cdnOf(cloudFront).invalidate(['u-1'])).toEqual([{ id: 'I1', tags: 1 }]);
    expect(cloudFront.creates()).toHaveLength(21);
    expect(references(cloudFront).size).toBe(1);
  });

  it('is sent half an invalidation at a time when other processes never leave room for the whole', async () => {
    const cloudFront = await startCloudFront({ otherPaths: 1 });
    const cdn = cdnOf(cloudFront);
    const made = await cdn.invalidate(tags(3000));
    expect(made.map((invalidation) => invalidation.tags)).toEqual([1500, 1500]);
    expect(new Set(cloudFront.invalidations().flat()).size).toBe(3000);
  });

  it('is sent the same call again while it throttles, for longer than the SDK retries', async () => {
    const cloudFront = await startCloudFront({ fault: (_, nth) => (nth <= 50 ? throttled : undefined) });
    const cdn = cdnOf(cloudFront);
    const made = await cdn.invalidate(['u-1', 'u-2']);
    // Not halved: that would be more calls, of which there are too many already.
    expect(made).toEqual([{ id: 'I1', tags: 2 }]);
    expect(references(cloudFront).size).toBe(1);
    await cdn.wait(made);
    expect(cloudFront.gets()).toHaveLength(51);
  });

  it('makes waiting calls fail once the CDN is closed', async () => {
    const calls = new EventEmitter();
    const cloudFront = await startCloudFront({
      fault: ({ operation }, nth) => {
        if (operation === 'get' || nth === 1) return undefined;
        calls.emit('refused');
        return tooMany;
      },
    });
    const cdn = cdnOf(cloudFront, { refusalDelayMs: 3_600_000 });
    const made = await cdn.invalidate(['u-1']);
    const refused = once(calls, 'refused');
    const outcomes = Promise.allSettled([cdn.invalidate(['u-2']), cdn.invalidate(['u-3'])]);
    await refused;
    // When this has been answered, the refusal has arrived too, and its delay has begun.
    await cdn.wait(made);
    cdn.close();
    const reason = expect.objectContaining({ message: 'the CDN was closed before it had answered' });
    expect(await outcomes).toEqual(Array(2).fill({ status: 'rejected', reason }));
  });
});

describe('wait of the CloudFront adapter', () => {
  it('resolves when all invalidations are complete', async () => {
    const cloudFront = await startCloudFront({ pollsInProgress: 3 });
    const cdn = cdnOf(cloudFront);
    const made = [...(await cdn.invalidate(['u-1'])), ...(await cdn.invalidate(['u-2']))];
    await cdn.wait(made);
    expect(cloudFront.gets().map(({ id }) => id)).toEqual([...Array(4).fill('I1'), ...Array(4).fill('I2')]);
  });

  it('waits for invalidations of another process too', async () => {
    const cloudFront = await startCloudFront();
    const made = await cdnOf(cloudFront).invalidate(['u-1']);
    await cdnOf(cloudFront).wait(made);
    expect(cloudFront.gets()).toHaveLength(1);
  });

  it.each(['COMPLETED', 'completed', 'Complete'])(
    'takes %s for complete, as other servers spell it',
    async (completed) => {
      const cloudFront = await startCloudFront({ pollsInProgress: 1, words: { completed } });
      const cdn = cdnOf(cloudFront);
      await cdn.wait(await cdn.invalidate(['u-1']));
      expect(cloudFront.gets()).toHaveLength(2);
    },
  );

  it('tells a state that it does not know, and ends when its signal aborts', async () => {
    const cloudFront = await startCloudFront({ pollsInProgress: 1e9, words: { inProgress: 'Paused' } });
    const cdn = cdnOf(cloudFront);
    const impatience = new AbortController();
    const told: WaitProgress[] = [];
    const waiting = cdn.wait(await cdn.invalidate(['u-1']), {
      signal: impatience.signal,
      onProgress(progress) {
        if (told.push(progress) === 3) impatience.abort(new Error('enough'));
      },
    });
    await expect(waiting).rejects.toThrow('enough');
    expect(told[2]).toEqual({ complete: 0, id: 'I1', state: 'Paused' });
  });

  it('sends nothing when there are no invalidations', async () => {
    const cloudFront = await startCloudFront();
    await cdnOf(cloudFront).wait([]);
    expect(cloudFront.calls).toEqual([]);
  });
});

describe('the CloudFront adapter, when a call fails', () => {
  it.each([
    ['an internal error', { status: 500, code: 'InternalError' }],
    ['an unavailable service', { status: 503, code: 'ServiceUnavailable' }],
  ])('repeats the call with the same caller reference after %s', async (_, fault) => {
    const cloudFront = await startCloudFront({ fault: (_, nth) => (nth <= 3 ? fault : undefined) });
    expect(await cdnOf(cloudFront).invalidate(['u-1'])).toEqual([{ id: 'I1', tags: 1 }]);
    expect(cloudFront.creates()).toHaveLength(4);
    expect(references(cloudFront).size).toBe(1);
  });

  it('creates no second invalidation when it repeats a call that was accepted', async () => {
    const cloudFront = await startCloudFront({
      fault: (_, nth) => (nth <= 2 ? 'lose the answer' : undefined),
    });
    expect(await cdnOf(cloudFront).invalidate(['u-1'])).toEqual([{ id: 'I1', tags: 1 }]);
    expect(cloudFront.creates()).toHaveLength(3);
    expect(cloudFront.invalidations()).toHaveLength(1);
  });

  it('throws an error that names the call and the distribution after the last attempt, and delays no later call', async () => {
    const cloudFront = await startCloudFront({ fault: () => ({ status: 500, code: 'InternalError' }) });
    await expect(cdnOf(cloudFront).invalidate(['u-1'])).rejects.toThrow(
      /CreateInvalidation on distribution E2EXAMPLE: InternalError/,
    );
    await expect(cdnOf(cloudFront).invalidate(['u-2'])).rejects.toThrow('InternalError');
  });

  it('uses another caller reference for another call', async () => {
    const cloudFront = await startCloudFront();
    const cdn = cdnOf(cloudFront);
    await cdn.invalidate(['u-1']);
    await cdn.invalidate(['u-1']);
    expect(cloudFront.invalidations()).toHaveLength(2);
  });
});

describe('the CloudFront adapter, when CloudFront refuses a call', () => {
  it('names a distribution that does not exist, and the variable that sets it', async () => {
    const cdn = cdnOf(await startCloudFront(), { distribution: 'E1GONE' });
    const message = 'CloudFront knows no distribution E1GONE: CDN must name one';
    await expect(cdn.invalidate(['u-1'])).rejects.toThrow(message);
    await expect(cdn.wait([{ id: 'I1', tags: 1 }])).rejects.toThrow(message);
  });

  it('names the missing permission and the identity that lacks it', async () => {
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

  it('ends an invalidation of thousands of tags at its first call, and accepts later ones', async () => {
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
