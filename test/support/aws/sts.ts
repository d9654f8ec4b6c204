import { type AwsService, actionOf, REGION, xml, xmlRefusal } from './aws.ts';
import { ACCOUNT } from './cloudformation.ts';

/** A stub of STS that tells the identity of the caller. */
export function sts(): AwsService {
  return {
    name: 'sts',
    operationOf: (call) => actionOf(call, '2011-06-15'),
    refuse: xmlRefusal,
    answer(operation, { region }) {
      if (operation !== 'GetCallerIdentity' || region !== REGION)
        return xmlRefusal(400, 'InvalidAction', operation);
      const arn = `arn:aws:iam::${ACCOUNT}:user/deployer`;
      return xml(operation, `<Arn>${arn}</Arn><UserId>U</UserId><Account>${ACCOUNT}</Account>`);
    },
  };
}
