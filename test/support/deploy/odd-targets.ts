import { sign } from '../edge/requests.ts';

/** Signed targets of images with characters that servers and URL parsers are known to rewrite. */
export function oddTargets(src: string): string[] {
  const encodedSrc = encodeURIComponent(src);
  const unsigned = [
    // Written by hand, as little encoded as a request target may be.
    `/u/unit~1.a?src=${src}/it's(1)!*$@:,;~`,
    `/u/unit-1?src=${src}/a/../b/./c//d`,
    `/u/unit-1?src=${encodedSrc}%3Fx%3D%252F..%252F%26y%3Da%2520b%2Bc`,
    // The same character in upper and lower case, and where none is needed.
    `/u/unit-1?src=${encodedSrc}%2f%2F%61%C3%BC%e2%9c%93`,
    `/u/unit-1?src=${encodedSrc}%3F${'%41'.repeat(700)}`,
    `/u/unit-1?src=${encodedSrc}%3F${'x'.repeat(4000)}`,
  ];
  return unsigned.map((target) => sign(`${target}&w=160&f=webp`));
}
