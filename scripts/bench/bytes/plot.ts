import type { Measurement } from './measure.ts';
import type { Summary } from './summary.ts';

const WIDTH = 960;
/** Height of the panel of one format. */
const HEIGHT = 440;
const MARGIN = 50;
/** The range of scores; a score outside is drawn at the edge. */
const MIN_SCORE = 50;
const MAX_SCORE = 95;
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000', '#8a6d3b'];
const TICKS_KB = [5, 10, 20, 50, 100, 200, 500, 1000];

/**
 * Draws bytes against score as SVG, a panel for each format: a faint dot for each image, and for each method its mean bytes against
 * the score that nine images in ten reach.
 */
export function drawPlot(
  measurements: readonly Measurement[],
  summaries: readonly Summary[],
  images: number,
): string {
  const formats = [...new Set(summaries.map(({ format }) => format))];
  const panels = formats.map((format, index) => {
    const own = <T extends { format: string }>(all: readonly T[]) =>
      all.filter((one) => one.format === format);
    const drawn = drawPanel(format, own(measurements), own(summaries), images);
    return `<g transform="translate(0 ${index * HEIGHT})">${drawn.join('\n')}</g>`;
  });
  return svg(WIDTH, formats.length * HEIGHT, panels);
}

function drawPanel(
  format: string,
  measurements: readonly Measurement[],
  summaries: readonly Summary[],
  images: number,
): string[] {
  const methods = [...new Set(summaries.map(({ method }) => method))];
  const colourOf = ({ method }: { method: string }) => COLOURS[methods.indexOf(method) % COLOURS.length];
  const sizes = measurements.map(({ bytes }) => bytes);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const toX = scale(Math.log(least), Math.log(most), MARGIN, WIDTH - 2 * MARGIN);
  const x = (bytes: number) => toX(Math.log(bytes));
  const toY = scale(MIN_SCORE, MAX_SCORE, HEIGHT - MARGIN, MARGIN);
  const y = (score: number) => toY(Math.min(MAX_SCORE, Math.max(MIN_SCORE, score)));
  const title = `<text x="${MARGIN}" y="24" font-size="15">${format}: SSIMULACRA2 by bytes an image; large: the score that nine in ten reach</text>`;
  const grid = [60, 70, 80, 90].map(
    (score) =>
      `<line x1="${MARGIN}" x2="${WIDTH - MARGIN}" y1="${y(score)}" y2="${y(score)}" stroke="#ccc"/><text x="${MARGIN - 25}" y="${y(score) + 4}">${score}</text>`,
  );
  const ticks = TICKS_KB.filter((kilobytes) => kilobytes * 1000 >= least && kilobytes * 1000 <= most).map(
    (kilobytes) => `<text x="${x(kilobytes * 1000)}" y="${HEIGHT - MARGIN + 25}">${kilobytes} kB</text>`,
  );
  const dots = measurements.map(
    (one) =>
      `<circle cx="${x(one.bytes)}" cy="${y(one.score)}" r="2" fill="${colourOf(one)}" opacity=".25"/>`,
  );
  const marks = summaries.map((one, index) => {
    const [cx, cy] = [x(one.bytes / images), y(one.p10)];
    const label = [one.method, one.tier].filter(Boolean).join(' ');
    // Alternately above and below, because neighbours are often side by side.
    const text = `<text x="${cx - 8}" y="${cy + (index % 2 ? -10 : 19)}" fill="${colourOf(one)}">${label}</text>`;
    return `<circle cx="${cx}" cy="${cy}" r="6" fill="${colourOf(one)}"/>${text}`;
  });
  return [title, ...grid, ...ticks, ...dots, ...marks];
}

/** Wraps SVG elements into a document with a white background. */
export function svg(width: number, height: number, parts: readonly string[]): string {
  const attributes = `xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="11"`;
  return `<svg ${attributes}><rect width="100%" height="100%" fill="#fff"/>${parts.join('\n')}</svg>\n`;
}

/** Maps `from`–`to` linearly to the pixels `start`–`end`. */
function scale(from: number, to: number, start: number, end: number): (value: number) => number {
  return (value) => Math.round(start + ((value - from) / (to - from || 1)) * (end - start));
}
