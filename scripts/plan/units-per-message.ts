import { MAX_MESSAGE_IMAGES, MAX_MESSAGE_JOBS } from '../../src/queue/message.ts';
import { figure, roundDown, show } from './figure.ts';

/** How many units with this many images of one client `packJobs` puts into one message. */
export function calculateUnitsPerMessage(images: number) {
  const label = 'units a message';
  if (images > MAX_MESSAGE_IMAGES)
    return figure(label, 1, '1, since one unit already has more images than a message takes');
  if (images * MAX_MESSAGE_JOBS <= MAX_MESSAGE_IMAGES)
    return figure(label, MAX_MESSAGE_JOBS, `${show(MAX_MESSAGE_JOBS)}, the maximum`);
  return figure(
    label,
    roundDown(MAX_MESSAGE_IMAGES / images),
    `⌊${show(MAX_MESSAGE_IMAGES)} images ÷ ${show(images)} images⌋`,
  );
}
