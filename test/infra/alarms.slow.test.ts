import { describe, expect, it } from 'vitest';
import { withoutHash } from '../support/infra/resources.ts';
import { ALL_OPTIONS, synthesise, synthesiseViewerAlarms } from '../support/infra/synthesise.ts';

interface AlarmProperties {
  AlarmDescription: string;
  TreatMissingData: string;
  Threshold: number;
  MetricName?: string;
  AlarmActions?: unknown[];
  OKActions?: unknown[];
  Metrics?: unknown[];
}

/** Returns the alarms but for the one of deployments, which notifies nobody. */
function alarmsOf(...args: Parameters<typeof synthesise>): Record<string, AlarmProperties> {
  const alarms = Object.entries(synthesise(...args).findResources('AWS::CloudWatch::Alarm')).filter(
    ([id]) => !id.startsWith('ImageDeployment'),
  );
  return Object.fromEntries(alarms.map(([id, { Properties }]) => [withoutHash(id), Properties]));
}

const IN_EVERY_REGION = [
  'DeadLettersAlarm',
  'FunctionUrl5xxAlarm',
  'ImageErrorsAlarm',
  'ImageThrottlesAlarm',
  'LatencyAlarm',
  'QueueAgeAlarm',
  'WorkerErrorsAlarm',
  'WorkerThrottlesAlarm',
];

describe('the alarms', () => {
  const alarms = alarmsOf();

  it('watch both functions, the answers of the function URL, and the queue', () => {
    expect(Object.keys(alarms).toSorted()).toEqual(IN_EVERY_REGION);
  });

  it('watch CloudFront in us-east-1 only, where its metrics are', () => {
    expect(Object.keys(alarmsOf({}, { region: 'eu-west-1' })).toSorted()).toEqual(IN_EVERY_REGION);
    const inCdnRegion = Object.keys(alarmsOf({}, { region: 'us-east-1' }));
    expect(inCdnRegion.filter((id) => !IN_EVERY_REGION.includes(id)).toSorted()).toEqual([
      'Cdn4xxAlarm',
      'Cdn5xxAlarm',
    ]);
  });

  it('watch what only the log tells, if CloudWatch makes metrics of it', () => {
    const named = alarmsOf({ emfNamespace: 'edgepress/test' });
    expect(
      Object.keys(named)
        .filter((id) => !IN_EVERY_REGION.includes(id))
        .toSorted(),
    ).toEqual(['InternalAlarm', 'NotStoredAlarm', 'OverloadedAlarm', 'StoreCircuitAlarm']);
    // A metric with a label is written as one of several.
    const watching = (Metric: object, Stat: string) => ({ Metrics: [{ MetricStat: { Metric, Stat } }] });
    const overloaded = {
      Namespace: 'edgepress/test',
      MetricName: 'totalMs',
      Dimensions: [{ Name: 'result', Value: 'overloaded' }],
    };
    const open = { MetricName: 'circuitsOpen', Dimensions: [{ Name: 'circuit', Value: 'store' }] };
    expect(named).toMatchObject({
      OverloadedAlarm: watching(overloaded, 'SampleCount'),
      StoreCircuitAlarm: watching(open, 'Maximum'),
    });
  });

  it('say what to do, in no more text than CloudWatch allows', () => {
    for (const alarm of Object.values(alarmsOf(ALL_OPTIONS, { region: 'us-east-1' }))) {
      expect(alarm.AlarmDescription.length).toBeGreaterThan(100);
      expect(alarm.AlarmDescription.length).toBeLessThanOrEqual(1024);
    }
  });

  it('stay quiet while there is no traffic', () => {
    for (const alarm of Object.values(alarmsOf({}, { region: 'us-east-1' })))
      expect(alarm.TreatMissingData).toBe('notBreaching');
  });

  it('notify nobody without a topic', () => {
    for (const alarm of Object.values(alarms)) {
      expect(alarm).not.toHaveProperty('AlarmActions');
      expect(alarm).not.toHaveProperty('OKActions');
    }
  });

  it('notify the topic when they go off and when they are over', () => {
    for (const [name, alarm] of Object.entries(alarmsOf(ALL_OPTIONS, { region: 'us-east-1' }))) {
      // These start and stop containers.
      if (/^Workers(Start|Stop)Alarm/.test(name)) continue;
      expect(alarm.AlarmActions).toEqual([ALL_OPTIONS.alarmTopicArn]);
      expect(alarm.OKActions).toEqual([ALL_OPTIONS.alarmTopicArn]);
    }
  });

  it('have the thresholds of the options', () => {
    expect(alarms).toMatchObject({ LatencyAlarm: { Threshold: 12_000 }, QueueAgeAlarm: { Threshold: 7200 } });
    expect(
      alarmsOf({ alarmFunctionUrl5xxPercent: 40, alarmLatencySeconds: 5, alarmQueueAgeMinutes: 600 }),
    ).toMatchObject({
      FunctionUrl5xxAlarm: { Threshold: 40 },
      LatencyAlarm: { Threshold: 5000 },
      QueueAgeAlarm: { Threshold: 36_000 },
    });
  });

  it('tolerate a latency of two seconds more than the source timeout', () => {
    expect(alarmsOf({ sourceTimeoutMs: 5000 })).toMatchObject({ LatencyAlarm: { Threshold: 7000 } });
  });
});

describe('the stack of the alarms on what viewers get', () => {
  const topic = 'arn:aws:sns:us-east-1:123456789012:on-call';
  const template = synthesiseViewerAlarms({ viewerAlarmTopicArn: topic, alarmCdn4xxPercent: 70 });

  it('has the same alarms as a stack in us-east-1, for the distribution that is its parameter', () => {
    const inStack = alarmsOf({ alarmTopicArn: topic, alarmCdn4xxPercent: 70 }, { region: 'us-east-1' });
    const own = template.findResources('AWS::CloudWatch::Alarm');
    expect(Object.keys(own).map(withoutHash).toSorted()).toEqual(['Cdn4xxAlarm', 'Cdn5xxAlarm']);
    for (const [id, { Properties }] of Object.entries(own)) {
      const text = JSON.stringify(inStack[withoutHash(id)]).replaceAll(
        /\{"Ref":"Distribution[^"]*"\}/g,
        '{"Ref":"DistributionId"}',
      );
      expect(Properties).toEqual(JSON.parse(text));
    }
  });
});
