import type { Cost } from './cost.ts';
import { dollars, type Figure, figure, formatPrice, roundUp, show } from './figure.ts';
import type { Load, Workers } from './load.ts';
import { MILLION, PRICES, SECONDS_PER_HOUR } from './prices-and-limits.ts';

/** A container as the stack has it by default (`fargateVcpus`). */
const TASK_VCPUS = 4;
const GB_PER_VCPU = 2;

/** The same work by containers on Fargate Spot (`fargateMaxTasks`): how many, and what a million images cost then. */
export function calculateFargate(
  { imagesPerHour }: Load,
  { busyVcpus, secondsPerImage }: Workers,
  cost: Cost,
) {
  const { usdPerVcpuHour, usdPerTaskGbHour, usdPerAddressHour, spotShare } = PRICES;
  const tasks = figure(
    'containers needed',
    roundUp(busyVcpus.value / TASK_VCPUS),
    `⌈${show(busyVcpus)} ÷ ${TASK_VCPUS} vCPU⌉`,
  );
  const usdPerTaskHour = dollars(
    'a container for an hour',
    TASK_VCPUS * (usdPerVcpuHour + GB_PER_VCPU * usdPerTaskGbHour) * spotShare + usdPerAddressHour,
    `${TASK_VCPUS} vCPU × (${formatPrice(usdPerVcpuHour)} + ${GB_PER_VCPU} GB × ${formatPrice(usdPerTaskGbHour)}) × ${spotShare} + ${formatPrice(usdPerAddressHour)}`,
  );
  const compute = dollars(
    'compute of a million images',
    ((MILLION * secondsPerImage.value) / TASK_VCPUS / SECONDS_PER_HOUR) * usdPerTaskHour.value,
    `${show(MILLION)} images × ${show(secondsPerImage)} s ÷ ${TASK_VCPUS} vCPU ÷ ${show(SECONDS_PER_HOUR)} s × ${show(usdPerTaskHour)}`,
  );
  const others: Figure[] = [cost.calls, cost.puts, cost.gets];
  const requests = dollars(
    'requests of SQS and S3 for them',
    (others.reduce((sum, { value }) => sum + value, 0) / imagesPerHour.value) * MILLION,
    `(${others.map(show).join(' + ')}) ÷ ${show(imagesPerHour)} images × ${show(MILLION)}`,
  );
  const making = dollars(
    'to make a million images',
    compute.value + requests.value,
    `${show(compute)} + ${show(requests)}`,
  );
  return { tasks, usdPerTaskHour, compute, requests, making };
}

export type Fargate = ReturnType<typeof calculateFargate>;
