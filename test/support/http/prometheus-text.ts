const SAMPLE = /^([a-zA-Z_:][\w:]*(?:\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)+\})?) (\S+)$/;
const COMMENT = /^# (HELP [a-zA-Z_:][\w:]* .+|TYPE [a-zA-Z_:][\w:]* (counter|gauge|histogram|summary))$/;

/** Reads the text format of Prometheus; throws on a line that is none of it, and on a sample that comes twice. */
export function samplesOf(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  for (const line of text.split('\n')) {
    if (line === '' || COMMENT.test(line)) continue;
    const [, name, value = ''] = SAMPLE.exec(line) ?? [];
    if (name === undefined) throw new Error(`no sample: ${line}`);
    if (samples.has(name)) throw new Error(`twice: ${name}`);
    samples.set(name, readNumber(value));
  }
  return samples;
}

function readNumber(value: string): number {
  if (/^nan$/i.test(value)) return Number.NaN;
  const number = value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value);
  if (Number.isNaN(number)) throw new Error(`no number: ${value}`);
  return number;
}
