import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Settings } from '../../infra/settings.ts';
import { counted, formatCount, printable } from '../cli/text.ts';
import type { Finding } from './finding.ts';

const run = promisify(execFile);
const TIMEOUT_MS = 15_000;
/** The quotas of Fargate's vCPUs in a region. */
const VCPU_QUOTA = {
  spot: { code: 'L-36FBB829', name: 'Fargate Spot vCPUs' },
  ordinary: { code: 'L-3032A538', name: 'Fargate vCPUs' },
};

/** Checks what workers in containers need beside all else; nothing where there are none. */
export async function checkContainers(settings: Settings): Promise<readonly Finding[]> {
  const { fargateMaxTasks: tasks } = settings;
  return tasks === undefined ? [] : [await checkDocker(), describeQuota(tasks, settings)];
}

/** Checks that the program that `cdk deploy` builds the image with is there, and does its work. */
async function checkDocker(): Promise<Finding> {
  const what = 'Docker';
  const program = process.env['CDK_DOCKER'] ?? 'docker';
  try {
    // With Docker, this fails without its daemon.
    await run(program, ['version'], { timeout: TIMEOUT_MS });
    return {
      state: 'ok',
      what,
      found: `${program} is there: the deployment builds the image of the containers with it`,
    };
  } catch (error) {
    const { code, stderr = '', killed } = error as { code?: unknown; stderr?: string; killed?: boolean };
    if (code === 'ENOENT' || code === 'EACCES')
      return {
        ...{ state: 'missing', what, found: `there is no program ${program}, and fargateMaxTasks is set` },
        todo: 'install Docker, or set CDK_DOCKER to a program like it (podman, finch): the deployment builds the image of the containers with it',
      };
    const [reason = ''] = printable(stderr.trim()).split('\n').slice(-1);
    return {
      ...{ state: 'missing', what },
      found: `${program} version ${killed ? `does not end within ${TIMEOUT_MS / 1000} s` : `fails: ${reason}`}`,
      todo: `start ${program}, or its daemon`,
    };
  }
}

/** AWS tells the quota; the deployment works without, but fewer containers are started than the options say. */
function describeQuota(tasks: number, { fargateVcpus, fargateSpot }: Settings): Finding {
  const { code, name } = fargateSpot ? VCPU_QUOTA.spot : VCPU_QUOTA.ordinary;
  return {
    ...{ state: 'ok', what: 'Fargate quota' },
    found: `${counted(tasks, 'container')} of ${counted(fargateVcpus, 'vCPU')} need ${formatCount(tasks * fargateVcpus)} ${name}; with fewer, fewer are started`,
    todo: `yours: aws service-quotas get-service-quota --service-code fargate --quota-code ${code} --query Quota.Value`,
  };
}
