import { dollars, type Figure, figure, formatPrice, roundUp, show } from './figure.ts';
import type { Containers, PlanInputs } from './inputs.ts';
import { MILLION, SECONDS_PER_HOUR } from './limits.ts';
import { HEADROOM, type Load, type Workers } from './load.ts';

/** Memory of a container, for each of its vCPUs. */
const GB_PER_VCPU = 2;
/** A container as the stack has it by default (`fargateVcpus`). */
const DEFAULT_VCPUS = 4;

/** The workers of a stack with containers: how many of these the load needs, and what they make together with the functions. */
export function addContainers(workers: Workers, { max, vcpus }: Containers): Workers {
  const { busyVcpus, secondsPerImage, maxConcurrency } = workers;
  const ofFunctions = maxConcurrency.value * workers.vcpus.value;
  const rest = Math.max(0, busyVcpus.value - ofFunctions);
  const restFormula = `(${show(busyVcpus)} − ${show(maxConcurrency)} workers × ${show(workers.vcpus)} vCPU)`;
  const needed = figure(
    `containers of ${vcpus} vCPUs needed`,
    Math.max(1, roundUp(rest / vcpus)),
    rest === 0 ? '1, the least' : `⌈${restFormula} ÷ ${vcpus} vCPU⌉`,
  );
  const label = 'containers at most';
  const maxContainers =
    max === undefined
      ? figure(
          label,
          Math.max(1, roundUp((rest / vcpus) * HEADROOM)),
          rest === 0 ? '1, the least' : `⌈${restFormula} ÷ ${vcpus} vCPU × ${HEADROOM}⌉`,
        )
      : figure(label, max, `${show(max)}, as the options say`);
  return {
    ...workers,
    containers: needed,
    maxContainers,
    capacityPerSecond: figure(
      'images a second, all workers busy',
      (maxConcurrency.value * workers.vcpus.value + maxContainers.value * vcpus) / secondsPerImage.value,
      `(${show(maxConcurrency)} workers × ${show(workers.vcpus)} vCPU + ${show(maxContainers)} containers × ${vcpus} vCPU) ÷ ${show(secondsPerImage)} s`,
    ),
  };
}

/** What one container costs for an hour, on Spot or not. */
export function containerUsdPerHour({ prices }: Pick<PlanInputs, 'prices'>, vcpus: number, isSpot: boolean) {
  const { usdPerVcpuHour, usdPerTaskGbHour, usdPerAddressHour, spotShare } = prices;
  const share = isSpot ? spotShare : 1;
  return dollars(
    'a container for an hour',
    vcpus * (usdPerVcpuHour + GB_PER_VCPU * usdPerTaskGbHour) * share + usdPerAddressHour,
    `${vcpus} vCPU × (${formatPrice(usdPerVcpuHour)} + ${GB_PER_VCPU} GB × ${formatPrice(usdPerTaskGbHour)}) × ${share} + ${formatPrice(usdPerAddressHour)}`,
  );
}

/** What so many images cost on a place. What waits for originals costs nothing more in a container: it works on other units meanwhile. */
export function calculateCompute(
  inputs: PlanInputs,
  images: Figure | number,
  workers: Workers,
  place: 'lambda' | Pick<Containers, 'vcpus' | 'isSpot'>,
): { compute: Figure; waiting: Figure } {
  const count = typeof images === 'number' ? images : images.value;
  const { secondsPerImage, waitSecondsPerImage } = workers;
  if (place !== 'lambda') {
    const usd = containerUsdPerHour(inputs, place.vcpus, place.isSpot);
    return {
      compute: dollars(
        'compute',
        ((count * secondsPerImage.value) / place.vcpus / SECONDS_PER_HOUR) * usd.value,
        `${show(images)} images × ${show(secondsPerImage)} s ÷ ${place.vcpus} vCPU ÷ ${show(SECONDS_PER_HOUR)} s × (${usd.arithmetic})`,
      ),
      waiting: dollars('waiting for originals', 0, '0, since a container works on other units meanwhile'),
    };
  }
  const { memoryMb, prices } = inputs;
  const gbSecond = `${show(memoryMb)} MB ÷ 1,024 × ${formatPrice(prices.usdPerGbSecond)}`;
  const usdPerSecond = (memoryMb / 1024) * prices.usdPerGbSecond;
  return {
    compute: dollars(
      'compute',
      ((count * secondsPerImage.value) / workers.vcpus.value) * usdPerSecond,
      `${show(images)} images × ${show(secondsPerImage)} s ÷ ${show(workers.vcpus)} vCPU × ${gbSecond}`,
    ),
    waiting: dollars(
      'waiting for originals',
      count * waitSecondsPerImage.value * usdPerSecond,
      `${show(images)} images × ${show(waitSecondsPerImage)} s × ${gbSecond}`,
    ),
  };
}

/** A million images on Lambda, on Fargate and on Fargate Spot, with the requests that they make anywhere. */
export function comparePlaces(
  inputs: PlanInputs,
  { imagesPerHour }: Load,
  workers: Workers,
  cost: { calls: Figure; puts: Figure; gets: Figure; logs: Figure },
) {
  const vcpus = inputs.containers?.vcpus ?? DEFAULT_VCPUS;
  const others = [cost.calls, cost.puts, cost.gets, cost.logs];
  const requests = dollars(
    'requests of SQS and S3, and logs',
    (others.reduce((sum, { value }) => sum + value, 0) / imagesPerHour.value) * MILLION,
    `(${others.map(show).join(' + ')}) ÷ ${show(imagesPerHour)} images × ${show(MILLION)}`,
  );
  const making = (label: string, place: Parameters<typeof calculateCompute>[3]) => {
    const { compute, waiting } = calculateCompute(inputs, MILLION, workers, place);
    return dollars(
      label,
      compute.value + waiting.value + requests.value,
      `${show(compute)} compute + ${show(waiting)} waiting + ${show(requests)}`,
    );
  };
  return {
    requests,
    lambda: making('on Lambda', 'lambda'),
    fargate: making('on Fargate', { vcpus, isSpot: false }),
    spot: making('on Fargate Spot', { vcpus, isSpot: true }),
    containers: figure(
      `containers of ${vcpus} vCPUs for this load`,
      roundUp(workers.busyVcpus.value / vcpus),
      `⌈${show(workers.busyVcpus)} ÷ ${vcpus} vCPU⌉`,
    ),
    usdPerContainerHour: containerUsdPerHour(inputs, vcpus, true),
  };
}

export type Places = ReturnType<typeof comparePlaces>;
