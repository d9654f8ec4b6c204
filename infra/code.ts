import { fileURLToPath } from 'node:url';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { buildLambda } from './bundle/build-lambda.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * The code of both functions, one asset: built when the stack is synthesised, unless CDK is told to bundle nothing, as
 * `cdk ls` tells it, and tests do.
 */
export function createCode(): Code {
  return Code.fromAsset(ROOT, {
    // What comes out counts: what goes in is the whole project, and CDK need not read it.
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // CDK asks for one; it is for where building here is not possible, and it always is.
      image: DockerImage.fromRegistry('scratch'),
      local: {
        tryBundle(folder) {
          buildLambda(folder, { cpu: 'arm64' });
          return true;
        },
      },
    },
  });
}
