import type { Template } from 'aws-cdk-lib/assertions';

/** Returns the properties of the one resource of a type. @throws Error when there are several, or none */
export function onlyResource(template: Template, type: string): Record<string, unknown> {
  const [resource, ...more] = Object.values(template.findResources(type));
  if (resource === undefined || more.length > 0) throw new Error(`expected one ${type}`);
  return resource['Properties'];
}

/** Returns the properties and the logical id of the function with a handler. */
export function findFunction(template: Template, handler: 'lambda-image.handler' | 'lambda-worker.handler') {
  const matching = { Properties: { Handler: handler } };
  const [fn] = Object.entries(template.findResources('AWS::Lambda::Function', matching));
  return { id: fn?.[0], ...fn?.[1]?.['Properties'] };
}

/** Returns the queue and the dead-letter queue, each with its logical id. */
export function findQueues(template: Template) {
  const queues = Object.entries(template.findResources('AWS::SQS::Queue'));
  const work = queues.find(([, { Properties }]) => Properties.RedrivePolicy !== undefined);
  const dead = queues.find(([, { Properties }]) => Properties.RedrivePolicy === undefined);
  return {
    queueId: work?.[0],
    queue: work?.[1]?.['Properties'],
    deadLettersId: dead?.[0],
    deadLetters: dead?.[1]?.['Properties'],
  };
}

/** Returns a logical id without the hash that CDK adds. */
export function withoutHash(logicalId: string): string {
  return logicalId.replace(/[0-9A-F]{8}$/, '');
}
