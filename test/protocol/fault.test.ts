import { describe, expect, it } from 'vitest';
import { loopFault, methodNotAllowedFault } from '../../src/protocol/fault.ts';

describe('methodNotAllowedFault', () => {
  it.each([
    ['one method', 'POST', 'GET is not allowed here; use POST'],
    ['two methods', 'GET, HEAD', 'GET is not allowed here; use GET or HEAD'],
    ['three methods', 'GET, HEAD, DELETE', 'GET is not allowed here; use GET, HEAD or DELETE'],
  ])('names %s in a whole sentence', (_name, allowed, detail) => {
    expect(methodNotAllowedFault('GET', allowed)).toEqual({ code: 'method_not_allowed', detail });
  });
});

describe('loopFault', () => {
  it.each([
    ['its own name', 'edgepress'],
    ['its own name among others, with parameters and capitals', 'a;b=c, EdgePress ; v=1'],
  ])('refuses a request whose CDN-Loop holds %s', (_name, cdnLoop) => {
    expect(loopFault(cdnLoop)).toMatchObject({ code: 'source_forbidden' });
  });

  it.each([
    ['is absent', undefined],
    ['is empty', ''],
    ['has empty entries only', ' , '],
    ['names another CDN', 'cloudfront'],
    ['names a CDN that only starts alike', 'edgepressed'],
  ])('accepts a request whose CDN-Loop %s', (_name, cdnLoop) => {
    expect(loopFault(cdnLoop)).toBeUndefined();
  });
});
