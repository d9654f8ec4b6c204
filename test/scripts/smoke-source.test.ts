import { expect, it } from 'vitest';
import { chooseSource } from '../../scripts/smoke/source.ts';
import { readConfig } from '../../src/config.ts';
import { runCommandInProcess } from '../support/command.ts';

const CONFIG = readConfig({});

it.each([
  ['of usual length', 'https://x.test/a.jpg?sig=1', 4000],
  ['without a query', 'https://x.test/a.jpg', 4000],
  ['that has 4,000 characters itself', `https://x.test/${'a'.repeat(4000)}`, undefined],
  ['that gets too long once it is percent-encoded', `https://x.test/${'%2F'.repeat(1000)}`, undefined],
])('An original %s is asked for at a URL of 4,000 characters, where it can be', async (_, src, length) => {
  const { longUrl } = await chooseSource(CONFIG, src)();
  expect(longUrl?.length).toBe(length);
});

it('A presigned URL that the service would refuse is refused with what makes it so long and what to do', async () => {
  const { status, stderr } = await runCommandInProcess(['smoke', 'http://127.0.0.1:9'], {
    STORE: 's3://bucket',
    SIGNING_KEYS: `k1:${'ab'.repeat(16)}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_SESSION_TOKEN: 't'.repeat(4000),
  });
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: expect.stringMatching(
      /^The presigned URL of the photograph has 4,\d{3} characters, and the service takes 4,096: the session token .* --src\.\n$/,
    ),
  });
});
