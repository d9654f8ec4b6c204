import type { Chromaticity, Primaries } from './cicp.ts';

export type Row = readonly [number, number, number];
/** Changed in place. */
export type Triple = [number, number, number];
export type Matrix = readonly [Row, Row, Row];

/** The linear Bradford transform, by which one white becomes another (ICC.1:2022, annex E). */
const BRADFORD: Matrix = [
  [0.8951, 0.2664, -0.1614],
  [-0.7502, 1.7135, 0.0367],
  [0.0389, -0.0685, 1.0296],
];

/** Returns the matrix from linear RGB of one space to that of another, both with white as (1, 1, 1). */
export function conversionMatrix(from: Primaries, to: Primaries): Matrix {
  const adaptation = adaptationMatrix(xyzOf(from.white), xyzOf(to.white));
  return product(inverted(rgbToXyz(to)), product(adaptation, rgbToXyz(from)));
}

/** Returns the matrix from XYZ, relative to a white, to linear RGB. */
export function matrixFromXyz(white: Row, to: Primaries): Matrix {
  return product(inverted(rgbToXyz(to)), adaptationMatrix(white, xyzOf(to.white)));
}

/** Multiplies a matrix by a triple, in place: pixels are too many for an array each. */
export function multiplyInPlace([first, second, third]: Matrix, triple: Triple): void {
  const [x, y, z] = triple;
  triple[0] = weighted(first, x, y, z);
  triple[1] = weighted(second, x, y, z);
  triple[2] = weighted(third, x, y, z);
}

function weighted([a, b, c]: Row, x: number, y: number, z: number): number {
  return a * x + b * y + c * z;
}

/** SMPTE RP 177. */
function rgbToXyz({ red, green, blue, white }: Primaries): Matrix {
  const columns = transposed([xyzOf(red), xyzOf(green), xyzOf(blue)]);
  return product(columns, diagonal(multiplied(inverted(columns), xyzOf(white))));
}

/** The XYZ of a colour with a luminance of 1, or of one without luminance: primaries may be imaginary. */
function xyzOf([x, y]: Chromaticity): Row {
  return y === 0 ? [x, 0, 1 - x] : [x / y, 1, (1 - x - y) / y];
}

function adaptationMatrix(from: Row, to: Row): Matrix {
  const [before, after] = [multiplied(BRADFORD, from), multiplied(BRADFORD, to)];
  const scales: Row = [after[0] / before[0], after[1] / before[1], after[2] / before[2]];
  return product(inverted(BRADFORD), product(diagonal(scales), BRADFORD));
}

function multiplied(matrix: Matrix, [x, y, z]: Row): Row {
  const [first, second, third] = matrix.map(([a, b, c]) => a * x + b * y + c * z);
  return [first as number, second as number, third as number];
}

/** Returns the product of two matrices. */
export function product(left: Matrix, right: Matrix): Matrix {
  const [first, second, third] = transposed(right);
  return transposed([multiplied(left, first), multiplied(left, second), multiplied(left, third)]);
}

/** Returns a matrix with its rows as columns. */
export function transposed([a, b, c]: Matrix): Matrix {
  return [
    [a[0], b[0], c[0]],
    [a[1], b[1], c[1]],
    [a[2], b[2], c[2]],
  ];
}

function diagonal([x, y, z]: Row): Matrix {
  return [
    [x, 0, 0],
    [0, y, 0],
    [0, 0, z],
  ];
}

function inverted([a, b, c]: Matrix): Matrix {
  const [p, q, r] = [cross(b, c), cross(c, a), cross(a, b)];
  const scale = 1 / (a[0] * p[0] + a[1] * p[1] + a[2] * p[2]);
  return product(transposed([p, q, r]), diagonal([scale, scale, scale]));
}

function cross([x, y, z]: Row, [u, v, w]: Row): Row {
  return [y * w - z * v, z * u - x * w, x * v - y * u];
}
