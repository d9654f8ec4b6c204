import {
  Function as EdgeFunction,
  FunctionCode,
  FunctionRuntime,
  KeyValueStore,
} from 'aws-cdk-lib/aws-cloudfront';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { Config } from '../src/config.ts';
import { buildEdgeFunction } from './bundle/build-edge-function.ts';
import { acknowledge } from './cdk-nag.ts';

export interface Edge {
  readonly edgeFunction: EdgeFunction;
  /** Holds the keys that the edge function verifies signatures with. */
  readonly keyValueStore: KeyValueStore;
}

/**
 * Creates the function that runs on each request before CloudFront looks into its cache: it verifies the signature, negotiates, and
 * rewrites the request to the variant's key. The key value store is created empty, so every request is refused until
 * `npm run keys -- rotate` has been run.
 */
export function createEdgeFunction(
  scope: Construct,
  { ladder, sourceIgnoredParameters }: Pick<Config, 'ladder' | 'sourceIgnoredParameters'>,
): Edge {
  const keyValueStore = new KeyValueStore(scope, 'EdgeKeys', {
    comment: 'Keys that image URLs are signed with',
  });
  const edgeFunction = new EdgeFunction(scope, 'EdgeFunction', {
    comment: 'Verifies and negotiates image URLs',
    runtime: FunctionRuntime.JS_2_0,
    code: FunctionCode.fromInline(buildEdgeFunction(ladder, sourceIgnoredParameters)),
    keyValueStore,
  });
  return { edgeFunction, keyValueStore };
}

/** Creates the secret from which programs that sign URLs read the keys. It has no value here, so no key is ever in a template. */
export function createSigningKeys(scope: Construct): CfnSecret {
  const secret = new CfnSecret(scope, 'SigningKeys', {
    description: 'Keys that image URLs are signed with, id:hex,id:hex: the first one signs',
  });
  acknowledge(
    secret,
    'SMG4',
    'npm run keys -- rotate rotates them: URLs that have already been given out must stay valid.',
  );
  return secret;
}
