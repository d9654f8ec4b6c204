import { wholeNumber } from '../../src/config-values.ts';
import { flag, NONE, numberAmong, option } from './option-values.ts';

/** The sizes of a Fargate task that have 2 GB of memory for each vCPU as their least. */
const FARGATE_VCPUS = [1, 2, 4, 8, 16];

/** Workers in containers, where a second of CPU costs a sixth of what it costs on Lambda. */
export const FARGATE_OPTIONS = {
  fargateMaxTasks: option({
    type: wholeNumber(1, 1000),
    default: NONE,
    doc: 'The maximum number of containers that work on the queue beside the worker function, on ECS with Fargate (arm64); there are none while nothing waits. `workerMaxConcurrency` is 2 then, unless you set it. The deployment needs Docker or a program like it (`CDK_DOCKER`). [Cheaper workers](costs.md#cheaper-workers).',
  }),
  fargateVcpus: option({
    type: numberAmong(FARGATE_VCPUS),
    default: '4',
    doc: 'vCPUs of such a container, with 2 GB of memory for each.',
  }),
  fargateSpot: option({
    type: flag,
    default: 'true',
    doc: 'Whether these containers run on spare capacity, for about a third of the price: AWS may stop one with two minutes of notice, in which its work goes back to the queue, and there may be none for a while.',
  }),
};
