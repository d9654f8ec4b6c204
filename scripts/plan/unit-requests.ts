import { figure } from './figure.ts';
import type { Given } from './given.ts';
import type { Load } from './load.ts';

/**
 * What prewarming a unit for the first time asks of S3, as the code does it (`src/unit/units.ts`, `prewarm.ts`, `survey.ts`,
 * `src/variant/make-variants.ts`): a test counts. A unit that is sent again costs a head for each variant in place of the put.
 * An original in S3 is one more get.
 */
export function planUnitRequests({ imagesPerUnit }: Given, { variantsPerImage }: Load) {
  const objects = figure(
    'objects a unit',
  )`${1} manifest + ${imagesPerUnit} images × ${variantsPerImage} variants`;
  const looks = figure(
    'looks at the purge mark a unit',
  )`${2} when it is taken in + ${1} before the work + ${imagesPerUnit}, one after the puts of each image`;
  return {
    objects,
    puts: figure('puts a unit')`${objects} objects × ${1}`,
    lists: figure('lists a unit')`${1}, to see what is there`,
    looks,
    gets: figure('gets a unit')`${looks} looks + ${1} manifest`,
  };
}

export type UnitRequests = ReturnType<typeof planUnitRequests>;
