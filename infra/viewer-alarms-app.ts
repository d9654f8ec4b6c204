// The entry point of the CDK app with the alarms on what viewers get, for stacks outside the region that has CloudFront's metrics: the
// stack's output RunbookViewerAlarms is the command that deploys it.
import { App } from 'aws-cdk-lib';
import { CDN_REGION } from './regions.ts';
import { OptionsError, readSettings } from './settings.ts';
import { readContext } from './validation.ts';
import { ViewerAlarmsStack } from './viewer-alarms.ts';

const app = new App();
try {
  const { options, faults } = readContext(app.node.getAllContext());
  // The region of the service is not known here, which `nearest` asks for; the alarms do not depend on it.
  const settings = readSettings({ ...options, originShieldRegion: undefined }, { faults });
  const env = { region: CDN_REGION };
  new ViewerAlarmsStack(app, `${settings.stackName}-viewer-alarms`, settings, { env });
} catch (error) {
  if (!(error instanceof OptionsError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
