import type { Measurement } from './measure.ts';
import type { Summary } from './summary.ts';

const WIDTH = 960;
const HEIGHT = 600;
const MARGIN = 60;
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000', '#8a6d3b'];

/** Bytes against score: a faint dot an image, and for each way of encoding its mean bytes against the score that nine in ten reach. */
export function plot(
  measurements: readonly Measurement[],
  summaries: readonly Summary[],
  images: number,
): string {
  const names = [...new Set(summaries.map(nameOf))];
  const colourOf = (name: string) => COLOURS[names.indexOf(name) % COLOURS.length] as string;
  const bytes = measurements.map((one) => Math.log(one.bytes));
  const x = scale(Math.min(...bytes), Math.max(...bytes), MARGIN, WIDTH - MARGIN);
  const scores = measurements.map(({ score }) => Math.max(0, score));
  const y = scale(Math.min(...scores), 100, HEIGHT - MARGIN, MARGIN);
  const dots = measurements.map(
    (one) =>
      `<circle cx="${x(Math.log(one.bytes))}" cy="${y(Math.max(0, one.score))}" r="2" fill="${colourOf(nameOf(one))}" opacity=".25"/>`,
  );
  const marks = summaries.map((one) => {
    const [cx, cy] = [x(Math.log(one.bytes / images)), y(one.p10)];
    const label = [nameOf(one), one.tier].filter(Boolean).join(' ');
    return `<circle cx="${cx}" cy="${cy}" r="6" fill="${colourOf(nameOf(one))}"><title>${label}</title></circle><text x="${cx + 9}" y="${cy + 4}">${label}</text>`;
  });
  const grid = [60, 70, 80, 90].map(
    (score) =>
      `<line x1="${MARGIN}" x2="${WIDTH - MARGIN}" y1="${y(score)}" y2="${y(score)}" stroke="#ccc"/><text x="${MARGIN - 30}" y="${y(score) + 4}">${score}</text>`,
  );
  const ticks = [10_000, 20_000, 50_000, 100_000, 200_000, 500_000].map(
    (size) => `<text x="${x(Math.log(size))}" y="${HEIGHT - MARGIN + 20}">${size / 1000} kB</text>`,
  );
  const title = `<text x="${MARGIN}" y="24" font-size="15">SSIMULACRA2 by bytes an image: large, the score that nine in ten reach at the mean of bytes</text>`;
  return svg(WIDTH, HEIGHT, [title, ...grid, ...ticks, ...dots, ...marks]);
}

export function svg(width: number, height: number, parts: readonly string[]): string {
  const attributes = `xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="11"`;
  return `<svg ${attributes}><rect width="100%" height="100%" fill="#fff"/>${parts.join('\n')}</svg>\n`;
}

function nameOf({ method, format }: { method: string; format: string }): string {
  return `${method} ${format}`;
}

function scale(from: number, to: number, start: number, end: number): (value: number) => number {
  return (value) => Math.round(start + ((value - from) / (to - from || 1)) * (end - start));
}
