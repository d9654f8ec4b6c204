import { ACCOUNT } from './account-services.ts';
import { type AwsAnswer, type AwsService, json, jsonRefusal, REGION, targetOf } from './aws.ts';

export const SECRET_ARN = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:SigningKeys-a1b2c3`;

export interface SecretsManagerStub extends AwsService {
  /** The value that signers read. */
  current(): string | undefined;
  /** Makes another version current as somebody else. */
  overwrite(text: string): void;
  /** How many reads after each change still return the version before. */
  lag: number;
}

/** A stub of Secrets Manager with one secret, its versions and their staging labels. */
export function secretsManager(text?: string): SecretsManagerStub {
  const versions = new Map<string, string>();
  const labels = new Map<string, string>();
  const current = () => versions.get(labels.get('AWSCURRENT') ?? '');
  let before: string | undefined;
  let stale = 0;
  const overwrite = (value: string) => {
    const id = `somebody-else-${versions.size}-0123456789abcdef`;
    versions.set(id, value);
    labels.set('AWSCURRENT', id);
  };
  if (text !== undefined) overwrite(text);

  function get(): AwsAnswer {
    const VersionId = stale-- > 0 ? before : labels.get('AWSCURRENT');
    const SecretString = versions.get(VersionId ?? '');
    if (SecretString === undefined) {
      const message = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT";
      return jsonRefusal(400, 'ResourceNotFoundException', message);
    }
    return json(200, { ARN: SECRET_ARN, SecretString, VersionId });
  }

  function put({ ClientRequestToken: id, SecretString, VersionStages }: Record<string, unknown>): AwsAnswer {
    const isValid = typeof SecretString === 'string' && SecretString !== '' && Array.isArray(VersionStages);
    if (!isValid || typeof id !== 'string' || id.length < 32)
      return jsonRefusal(400, 'InvalidParameterException', 'what is this?');
    if (versions.has(id) && versions.get(id) !== SecretString)
      return jsonRefusal(400, 'ResourceExistsException', 'there is such a version');
    const stages = versions.size === 0 ? [...VersionStages, 'AWSCURRENT'] : VersionStages;
    versions.set(id, SecretString);
    for (const stage of stages) labels.set(stage, id);
    return json(200, { ARN: SECRET_ARN, VersionId: id, VersionStages: stages });
  }

  function move({ VersionStage, MoveToVersionId, RemoveFromVersionId }: Record<string, string>): AwsAnswer {
    if (VersionStage !== 'AWSCURRENT' || !versions.has(MoveToVersionId ?? ''))
      return jsonRefusal(400, 'InvalidParameterException', 'what is this?');
    const holder = labels.get(VersionStage);
    if (holder !== undefined && holder !== RemoveFromVersionId)
      return jsonRefusal(400, 'InvalidParameterException', `the label is attached to ${holder}`);
    labels.set(VersionStage, MoveToVersionId ?? '');
    before = holder;
    stale = stub.lag;
    return json(200, { ARN: SECRET_ARN });
  }

  const stub: SecretsManagerStub = {
    name: 'secretsmanager',
    lag: 0,
    current,
    overwrite,
    operationOf: (call) => targetOf(call, 'secretsmanager'),
    refuse: jsonRefusal,
    answer(operation, { body, region }) {
      const input = JSON.parse(body) as Record<string, string>;
      if (input['SecretId'] !== SECRET_ARN || region !== REGION)
        return jsonRefusal(
          400,
          'ResourceNotFoundException',
          "Secrets Manager can't find the specified secret.",
        );
      switch (operation) {
        case 'GetSecretValue':
          return get();
        case 'PutSecretValue':
          return put(input);
        case 'UpdateSecretVersionStage':
          return move(input);
        default:
          return jsonRefusal(400, 'UnknownOperationException', operation);
      }
    },
  };
  return stub;
}
