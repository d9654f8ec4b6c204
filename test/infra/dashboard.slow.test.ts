import { describe, expect, it } from 'vitest';
import { onlyResource } from '../support/infra/resources.ts';
import { ALL_OPTIONS, synthesise } from '../support/infra/synthesise.ts';

describe('the dashboard', () => {
  it.each([
    ['traffic', 'BytesDownloaded'],
    ['errors', 'Url5xxCount'],
    ['the queue', 'ApproximateAgeOfOldestMessage'],
    ['outcomes out of the logs', 'by outcome, code'],
  ])('shows %s', (_, text) => {
    const { DashboardBody } = onlyResource(synthesise(), 'AWS::CloudWatch::Dashboard');
    expect(JSON.stringify(DashboardBody)).toContain(text);
  });

  it('shows metrics of the log lines, if CloudWatch makes any', () => {
    const bodyOf = (options = {}) =>
      JSON.stringify(onlyResource(synthesise(options), 'AWS::CloudWatch::Dashboard')['DashboardBody']);
    expect(bodyOf(ALL_OPTIONS)).toContain('MetricName=');
    expect(bodyOf(ALL_OPTIONS)).toMatch(/edgepress\/test.{1,20}imageState/);
    expect(bodyOf(ALL_OPTIONS)).toMatch(/edgepress\/test.{1,20}reason.{1,40}notPrewarmed/);
    expect(bodyOf()).not.toContain('SEARCH');
  });

  it('shows how many containers there are, and what starts and stops them, if there may be any', () => {
    const bodyOf = (options = {}) =>
      JSON.stringify(onlyResource(synthesise(options), 'AWS::CloudWatch::Dashboard')['DashboardBody']);
    for (const shown of ['PERIOD(samples)', 'WorkersStartAlarm', 'WorkersStopAlarm', 'FargateWorkersLogs']) {
      expect(bodyOf({ fargateMaxTasks: 5 })).toContain(shown);
      expect(bodyOf()).not.toContain(shown);
    }
  });

  it('is valid JSON, with no row wider than 24, once CloudFormation has filled in the names', () => {
    const { DashboardBody } = onlyResource(synthesise(ALL_OPTIONS), 'AWS::CloudWatch::Dashboard');
    const [, parts] = (DashboardBody as { 'Fn::Join': [string, unknown[]] })['Fn::Join'];
    const body = parts.map((part) => (typeof part === 'string' ? part : 'name')).join('');
    const { widgets } = JSON.parse(body) as { widgets: { x: number; width: number }[] };
    expect(widgets.length).toBeGreaterThan(10);
    for (const { x, width } of widgets) expect(x + width).toBeLessThanOrEqual(24);
  });
});
