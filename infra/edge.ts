import {
  Function as EdgeFunction,
  FunctionCode,
  FunctionRuntime,
  KeyValueStore,
} from 'aws-cdk-lib/aws-cloudfront';
import type { Construct } from 'constructs';
import type { Ladder } from '../src/protocol/negotiation.ts';
import { buildEdgeFunction } from './bundle/build-edge-function.ts';

export interface Edge {
  readonly edgeFunction: EdgeFunction;
  /** Has the keys that URLs may be signed with. */
  readonly keyValueStore: KeyValueStore;
}

/**
 * What runs before anything is looked up: it verifies, negotiates, and asks for the variant by its key. The store of keys is
 * created empty, and so is everything refused, until `npm run keys -- rotate`.
 */
export function createEdge(scope: Construct, ladder: Ladder): Edge {
  const keyValueStore = new KeyValueStore(scope, 'EdgeKeys', {
    comment: 'Keys that image URLs are signed with',
  });
  const edgeFunction = new EdgeFunction(scope, 'EdgeFunction', {
    comment: 'Verifies and negotiates image URLs',
    runtime: FunctionRuntime.JS_2_0,
    code: FunctionCode.fromInline(buildEdgeFunction(ladder)),
    keyValueStore,
  });
  return { edgeFunction, keyValueStore };
}
