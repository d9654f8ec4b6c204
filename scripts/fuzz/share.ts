import fc from 'fast-check';

const STEPS = 1_000_000;

/**
 * A place in something, as a share of its length below 1, each as likely as any other. Not `fc.double`, most of whose values are next to 0,
 * as most floating-point numbers are.
 */
export const share: fc.Arbitrary<number> = fc.noBias(fc.nat(STEPS - 1)).map((step) => step / STEPS);
