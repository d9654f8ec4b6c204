/** Sends a batch of messages, and returns those that failed. */
type Send<Failed extends { reason: string }> = (
  messages: readonly { body: string; group: string | undefined }[],
  delaySeconds: number,
) => Promise<Failed[]>;

/** As SQS said it of standard queues before July 2025, and servers of others say it still. */
const REFUSED_GROUP = /MessageGroupId|not valid for this queue type/i;

/**
 * Returns a call that leaves the groups out once the server has refused a message because of them: without them the queue is not fair, and with
 * them nothing would get there.
 *
 * @param onUnfair - called once, with the reason of the server
 */
export function withoutRefusedGroups<Failed extends { reason: string }>(
  send: Send<Failed>,
  onUnfair: (reason: string) => void,
): Send<Failed> {
  let isRefused = false;
  function refuse(reason: string): void {
    if (!isRefused) onUnfair(reason);
    isRefused = true;
  }
  return async (messages, delaySeconds) => {
    const sent = isRefused ? messages.map(({ body }) => ({ body, group: undefined })) : messages;
    const haveGroups = sent.some(({ group }) => group !== undefined);
    const result = await send(sent, delaySeconds).catch((error: Error) => {
      if (haveGroups && REFUSED_GROUP.test(error.message)) return error;
      throw error;
    });
    if (result instanceof Error) {
      refuse(result.message);
      const ungrouped = messages.map(({ body }) => ({ body, group: undefined }));
      return await send(ungrouped, delaySeconds);
    }
    // The caller sends what failed again.
    const refused = haveGroups ? result.find(({ reason }) => REFUSED_GROUP.test(reason)) : undefined;
    if (refused) refuse(refused.reason);
    return result;
  };
}
