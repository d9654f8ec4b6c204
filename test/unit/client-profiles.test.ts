import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { parseUnit } from '../../src/unit/parse-unit.ts';

const BOTH = ['avif', 'webp'];

describe('PREWARM_FOR', () => {
  it.each([
    ['a browser', { PREWARM_FOR: 'web' }, [1080], ['avif', 'webp'], ['balanced']],
    ['an Android app', { PREWARM_FOR: 'android-app:720' }, [720], ['webp', 'jpeg'], ['balanced']],
    ['an iOS app', { PREWARM_FOR: 'ios-app:1600' }, [1600], ['avif', 'jpeg'], ['balanced']],
    ['clients that only know JPEG', { PREWARM_FOR: 'jpeg-only' }, [1080], ['jpeg'], ['balanced']],
    ['Save-Data', { PREWARM_FOR: 'save-data' }, [1080], BOTH, ['balanced', 'saver']],
    [
      'several clients with several screens',
      { PREWARM_FOR: 'web:700, 1080,android-app:480,save-data' },
      [480, 720, 1080],
      ['avif', 'webp', 'jpeg'],
      ['balanced', 'saver'],
    ],
    ['the default width', { PREWARM_FOR: 'web', DEFAULT_WIDTH: '700' }, [720], BOTH, ['balanced']],
    [
      'a client with screens and one without',
      { PREWARM_FOR: 'web,android-app:320', DEFAULT_WIDTH: '480' },
      [320, 480],
      ['avif', 'webp', 'jpeg'],
      ['balanced'],
    ],
    [
      'what is named beside it',
      {
        ...{ PREWARM_FOR: 'web:720,save-data', PREWARM_WIDTHS: '480' },
        ...{ PREWARM_FORMATS: 'jpeg', PREWARM_TIERS: 'high' },
      },
      [480, 720],
      ['jpeg', 'avif', 'webp'],
      ['high', 'saver'],
    ],
    [
      'widths that are named, for clients without any',
      { PREWARM_FOR: 'web', PREWARM_WIDTHS: '480' },
      [480],
      BOTH,
      ['balanced'],
    ],
    ['nothing', {}, [1080], BOTH, ['balanced']],
  ])('makes what is asked for by %s', (_name, env, widths, formats, tiers) => {
    expect(readConfig(env as Record<string, string>).prewarm).toEqual({ widths, formats, tiers });
  });

  it.each([
    ['android', /"android": it must be one or more of web, android-app, ios-app, jpeg-only, save-data/],
    ['web:wide', /screen "wide": it must be a width in pixels from 1 to 16383/],
    ['web:720,99999', /screen "99999"/],
    ['720,web', /client "720"/],
    ['web,720', /client "720"/],
    ['web,', /client ""/],
    ['web:720:1080', /client "web:720:1080"/],
    ['save-data:720', /no screen/],
  ])('refuses %s, and names what is allowed', (text, message) => {
    expect(() => readConfig({ PREWARM_FOR: text })).toThrow(message);
    expect(() => readConfig({ PREWARM_FOR: text })).toThrow(/^PREWARM_FOR: has /);
  });
});

describe('`for` in a unit', () => {
  const { ladder, prewarm } = readConfig({ PREWARM_WIDTHS: '480', PREWARM_FORMATS: 'avif' });
  const unit = (fields: object) =>
    parseUnit({ id: 'a', images: ['https://x.test/1'], ...fields }, { ladder, prewarm });

  it.each([
    [{ for: 'android-app:700' }, [720], ['webp', 'jpeg'], ['balanced']],
    [{ for: ['web', 'android-app:1080'] }, [480, 1080], ['avif', 'webp', 'jpeg'], ['balanced']],
    [{ for: 'save-data' }, [480], ['avif'], ['balanced', 'saver']],
    [{ for: 'web:720', widths: [160], tiers: ['high'] }, [160, 720], BOTH, ['high']],
    [{}, [480], ['avif'], ['balanced']],
  ])(
    '%j takes the place of what is configured, where it says something',
    (fields, widths, formats, tiers) => {
      expect(unit(fields)).toEqual({
        ...{ id: 'a', images: [{ src: 'https://x.test/1' }] },
        ...{ widths, formats, tiers },
      });
    },
  );

  it('is refused with what is allowed', () => {
    expect(() => unit({ for: 'ipad' })).toThrow(
      /^`for` has the client "ipad": it must be one or more of web/,
    );
    expect(() => unit({ for: 7 })).toThrow('`for` must be text, or a list of texts');
  });
});
