import { describe, expect, it } from 'vitest';
import { EVERYTHING, synthesise } from '../support/infra/synthesise.ts';

interface AlarmProperties {
  AlarmDescription: string;
  TreatMissingData: string;
  Threshold: number;
  MetricName?: string;
  AlarmActions?: unknown[];
  OKActions?: unknown[];
  Metrics?: unknown[];
}

function alarmsOf(...given: Parameters<typeof synthesise>): Record<string, AlarmProperties> {
  const alarms = Object.entries(synthesise(...given).findResources('AWS::CloudWatch::Alarm'));
  return Object.fromEntries(
    alarms.map(([id, { Properties }]) => [id.replace(/[0-9A-F]{8}$/, ''), Properties]),
  );
}

const EVERYWHERE = [
  'DeadLettersAlarm',
  'FunctionUrl5xxAlarm',
  'ImageErrorsAlarm',
  'ImageThrottlesAlarm',
  'LatencyAlarm',
  'QueueAgeAlarm',
  'WorkerErrorsAlarm',
  'WorkerThrottlesAlarm',
];

describe('alarms', () => {
  const alarms = alarmsOf();

  it('watch both functions, their answers and the queue', () => {
    expect(Object.keys(alarms).toSorted()).toEqual(EVERYWHERE);
  });

  it('watch CloudFront where its metrics are', () => {
    expect(Object.keys(alarmsOf({}, { region: 'eu-west-1' })).toSorted()).toEqual(EVERYWHERE);
    const there = Object.keys(alarmsOf({}, { region: 'us-east-1' }));
    expect(there.filter((id) => !EVERYWHERE.includes(id)).toSorted()).toEqual(['Cdn4xxAlarm', 'Cdn5xxAlarm']);
  });

  it('say what to do, as long as CloudWatch lets them, and rest while nothing happens', () => {
    for (const alarm of Object.values(alarmsOf({}, { region: 'us-east-1' }))) {
      expect(alarm.AlarmDescription.length).toBeGreaterThan(100);
      expect(alarm.AlarmDescription.length).toBeLessThanOrEqual(1024);
      expect(alarm.TreatMissingData).toBe('notBreaching');
    }
  });

  it('tell a topic when there is one', () => {
    for (const alarm of Object.values(alarms)) {
      expect(alarm).not.toHaveProperty('AlarmActions');
      expect(alarm).not.toHaveProperty('OKActions');
    }
    for (const alarm of Object.values(alarmsOf(EVERYTHING, { region: 'us-east-1' }))) {
      expect(alarm.AlarmActions).toEqual([EVERYTHING.alarmTopicArn]);
      expect(alarm.OKActions).toEqual([EVERYTHING.alarmTopicArn]);
    }
  });

  it('begin where the options say', () => {
    expect(alarms).toMatchObject({ LatencyAlarm: { Threshold: 12_000 }, QueueAgeAlarm: { Threshold: 7200 } });
    expect(
      alarmsOf({ alarmFunctionUrl5xxPercent: 40, alarmLatencySeconds: 5, alarmQueueAgeMinutes: 600 }),
    ).toMatchObject({
      FunctionUrl5xxAlarm: { Threshold: 40 },
      LatencyAlarm: { Threshold: 5000 },
      QueueAgeAlarm: { Threshold: 36_000 },
    });
    expect(alarmsOf({ sourceTimeoutMs: 5000 })).toMatchObject({ LatencyAlarm: { Threshold: 7000 } });
  });
});

describe('the dashboard', () => {
  it('shows traffic, errors, the queue, and outcomes out of the logs', () => {
    const [dashboard] = Object.values(synthesise().findResources('AWS::CloudWatch::Dashboard'));
    const body = JSON.stringify(dashboard?.['Properties'].DashboardBody);
    for (const shown of [
      'BytesDownloaded',
      'Url5xxCount',
      'ApproximateAgeOfOldestMessage',
      'by outcome, code',
    ])
      expect(body).toContain(shown);
  });

  it('is valid JSON once CloudFormation has filled it in', () => {
    const [dashboard] = Object.values(synthesise(EVERYTHING).findResources('AWS::CloudWatch::Dashboard'));
    const parts: unknown[] = dashboard?.['Properties'].DashboardBody['Fn::Join'][1] ?? [];
    const body = parts.map((part) => (typeof part === 'string' ? part : 'name')).join('');
    const { widgets } = JSON.parse(body) as { widgets: { x: number; width: number }[] };
    expect(widgets.length).toBeGreaterThan(10);
    for (const { x, width } of widgets) expect(x + width).toBeLessThanOrEqual(24);
  });
});
