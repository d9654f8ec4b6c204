// The entry point of the CDK app, which cdk.json names: importing it creates the stack.
import { App } from 'aws-cdk-lib';
import { OptionsError, readSettings } from './settings.ts';
import { EdgepressStack } from './stack.ts';
import { readContext } from './validation.ts';

const app = new App();
try {
  // The account and region of the credentials that the CDK command uses; without them the stack fits any account and region.
  const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;
  const { options, faults } = readContext(app.node.getAllContext());
  const settings = readSettings(options, { region, faults });
  const env = { ...(account !== undefined && { account }), ...(region !== undefined && { region }) };
  new EdgepressStack(app, settings.stackName, settings, { env });
} catch (error) {
  if (!(error instanceof OptionsError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
