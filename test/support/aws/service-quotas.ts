import { type AwsService, json, jsonRefusal, REGION, targetOf } from './aws.ts';

/** A stub of Service Quotas with Lambda's quota of concurrent executions: the applied value, if it was ever changed, and the default. */
export function serviceQuotas(applied: number | undefined, byDefault = 1000): AwsService {
  return {
    name: 'servicequotas',
    operationOf: (call) => targetOf(call, 'ServiceQuotasV20190624'),
    refuse: jsonRefusal,
    answer(operation, { body, region }) {
      const { ServiceCode, QuotaCode } = JSON.parse(body) as Record<string, string>;
      if (ServiceCode !== 'lambda' || QuotaCode !== 'L-B99A9384' || region !== REGION)
        return jsonRefusal(400, 'IllegalArgumentException', body);
      const Value = operation === 'GetServiceQuota' ? applied : byDefault;
      if (Value === undefined) return jsonRefusal(400, 'NoSuchResourceException', 'never applied for');
      return json(200, { Quota: { ServiceCode, QuotaCode, QuotaName: 'Concurrent executions', Value } });
    },
  };
}
