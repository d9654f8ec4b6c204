import { runSimulation } from '@cloud-copilot/iam-simulate';
import { ACCOUNT } from '../aws/account-services.ts';
import type { IamCall } from './iam-calls.ts';
import type { PolicyDocument } from './policies.ts';

/** What a policy makes of calls. */
export interface Simulated {
  /** Calls that are refused: action and resource. */
  refused: string[];
  /** What is allowed, but no call needs: action and resource pattern. */
  unused: string[];
}

/** Decides on each call as IAM does for a principal with this one policy. @throws Error when the policy or a call is none that IAM knows */
export async function simulate(policy: PolicyDocument, calls: readonly IamCall[]): Promise<Simulated> {
  const refused: string[] = [];
  for (const call of calls)
    if (!(await isAllowed(policy, call))) refused.push(`${call.action} on ${call.resource}`);
  const unused: string[] = [];
  for (const { action, resource } of grantsOf(policy)) {
    const grant: PolicyDocument = {
      Version: policy.Version,
      Statement: [{ Effect: 'Allow', Action: action, Resource: resource }],
    };
    const candidates = calls.filter((call) => call.action === action);
    const used = await Promise.all(candidates.map((call) => isAllowed(grant, call)));
    if (!used.includes(true)) unused.push(`${action} on ${resource}`);
  }
  return { refused, unused };
}

function grantsOf({ Statement }: PolicyDocument): { action: string; resource: string }[] {
  return Statement.flatMap(({ Action, Resource }) =>
    [Action].flat().flatMap((action) => [Resource].flat().map((resource) => ({ action, resource }))),
  );
}

async function isAllowed(policy: PolicyDocument, { action, resource }: IamCall): Promise<boolean> {
  const result = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${ACCOUNT}:role/tested`,
        action,
        resource: { resource, accountId: ACCOUNT },
        contextVariables: {},
      },
      identityPolicies: [{ name: 'tested', policy }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  if (result.resultType === 'error')
    throw new Error(`${action} on ${resource}: ${JSON.stringify(result.errors)}`);
  return result.overallResult === 'Allowed';
}
