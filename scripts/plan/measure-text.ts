import { formatBytes } from '../command/amounts.ts';
import { showNumber } from './figure.ts';
import type { Measurement } from './measure.ts';
import { measuredMs } from './options.ts';
import { layOut, showArithmetic, showValue } from './table.ts';

/** Photographs that are told of one by one. */
const MOST_SHOWN = 12;

export function describeMeasurement(measurement: Measurement): string[] {
  const { photographs, failed, rounds, core, meanCpuMs } = measurement;
  const rows = photographs
    .slice(0, MOST_SHOWN)
    .map(({ name, width, height, bytes, variantBytes, cpuMs }) => [
      name,
      `${width} × ${height}`,
      formatBytes(bytes),
      variantBytes.map(formatBytes).join(', '),
      `${showNumber(cpuMs)} ms`,
    ]);
  const more = photographs.length - MOST_SHOWN;
  const ms = measuredMs(measurement);
  return [
    `Measured on one core of this machine (${core})`,
    ...layOut([['photograph', 'pixels', 'original', 'variants', 'CPU'], ...rows], COLUMNS),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...(failed > 0 ? [`  ${failed} could not be encoded`] : []),
    `  ${showNumber(meanCpuMs)} ms of encoding an image: the median of ${rounds} rounds, one photograph at a time, then their mean`,
    `  ${showValue(ms)} an image ${showArithmetic(ms)}`,
    '  A vCPU of Lambda is taken for as fast as this core: measure on the function itself to know, and give --ms.',
  ];
}

const COLUMNS = ['text', 'number', 'number', 'number', 'number'] as const;
