import type { PlatformContext } from './platform.ts';
import { parseXrayHeader } from './traceparent.ts';

/** What AWS Lambda calls the invocation that runs now. An instance of a function runs one at a time. */
export interface LambdaPlatform {
  /** To be called when an invocation starts. */
  enter(invocation: Invocation): void;
  current(): PlatformContext | undefined;
}

export interface Invocation {
  awsRequestId?: string | undefined;
  /** The value of `_X_AMZN_TRACE_ID`. */
  xrayHeader: string | undefined;
}

export function createLambdaPlatform(): LambdaPlatform {
  let context: PlatformContext | undefined;
  return {
    enter({ awsRequestId, xrayHeader }) {
      const [, xrayTraceId] = /(?:^|;)Root=([\w-]+)/.exec(xrayHeader ?? '') ?? [];
      context = {
        // Lambda's own log lines have it, too.
        requestId: awsRequestId,
        trace: parseXrayHeader(xrayHeader),
        // In X-Ray's own spelling: its console looks for that.
        ...(xrayTraceId !== undefined && { logFields: { xrayTraceId } }),
      };
    },
    current: () => context,
  };
}
