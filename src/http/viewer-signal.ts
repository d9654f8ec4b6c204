import type { ServerResponse } from 'node:http';

/** The status in the log of a request whose viewer left before there was an answer: nginx's. It is never sent. */
export const VIEWER_LEFT_STATUS = 499;

/** The viewer has closed the connection before the response was complete. */
export class ViewerLeft extends Error {
  override readonly name = 'ViewerLeft';

  constructor() {
    super('the viewer has left');
  }
}

/** Returns a signal that aborts with {@link ViewerLeft} when the connection closes before the response has been sent. */
export function viewerSignal(outgoing: ServerResponse): AbortSignal {
  const controller = new AbortController();
  const leave = () => {
    if (!outgoing.writableFinished) controller.abort(new ViewerLeft());
  };
  if (outgoing.destroyed) leave();
  else outgoing.once('close', leave);
  return controller.signal;
}

/** Returns a signal that aborts with {@link ViewerLeft} when the signal of a `Request` does. Its own reason may be anything, a string too. */
export function viewerSignalOf({ signal }: Request): AbortSignal {
  const controller = new AbortController();
  const leave = () => controller.abort(new ViewerLeft());
  if (signal.aborted) leave();
  else signal.addEventListener('abort', leave, { once: true });
  return controller.signal;
}
