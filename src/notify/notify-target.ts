import { parseUrl } from '../parse-url.ts';

/** Where events are sent: one entry of `NOTIFY`. */
export type NotifyTarget = {
  /** As `NOTIFY` has it. */
  text: string;
  /** What it is called in logs and metrics: without what may be secret in a URL. */
  name: string;
} & (
  | { kind: 'webhook'; url: URL }
  | { kind: 'sns'; topicArn: string; region: string }
  | { kind: 'eventbridge'; bus: string }
  | { kind: 'file'; path: string }
  | { kind: 'stdout' }
);

const TOPIC_ARN = /^arn:aws[a-z-]*:sns:([a-z0-9-]+):\d{12}:[\w-]{1,256}(?:\.fifo)?$/;
/** The name of a bus, or its ARN. */
const BUS = /^(?:arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus\/)?[\w./-]{1,256}$/;

/**
 * Parses an entry of `NOTIFY`.
 *
 * @throws Error with a message for the configuration error, which does not repeat the URL
 */
export function parseNotifyTarget(text: string): NotifyTarget {
  if (text === '-' || text === 'stdout:') return { text, name: 'stdout', kind: 'stdout' };
  const [, scheme = '', rest = ''] = /^([a-z]+):(.*)$/s.exec(text) ?? [];
  if (scheme === 'https' || scheme === 'http') return parseWebhook(text);
  if (scheme === 'file' && rest !== '')
    return { text, name: `file:${rest}`, kind: 'file', path: filePath(rest) };
  if (scheme === 'sns') {
    const region = TOPIC_ARN.exec(rest)?.[1];
    if (region === undefined) throw new Error('"sns:" needs the ARN of a topic: sns:arn:aws:sns:…');
    return { text, name: text, kind: 'sns', topicArn: rest, region };
  }
  if (scheme === 'eventbridge') {
    if (!BUS.test(rest)) throw new Error('"eventbridge:" needs the name or the ARN of an event bus');
    return { text, name: text, kind: 'eventbridge', bus: rest };
  }
  throw new Error(
    'each entry must be an https: URL, sns:TOPIC-ARN, eventbridge:BUS, file:PATH, or - for standard output',
  );
}

function parseWebhook(text: string): NotifyTarget {
  const url = parseUrl(text);
  if (!url) throw new Error('has a URL that cannot be parsed');
  if (url.username !== '' || url.password !== '')
    throw new Error(`the URL at ${url.host} has a user or password, which is not supported`);
  if (url.hash !== '') throw new Error(`the URL at ${url.host} has a fragment, which is never sent`);
  // The path may be a secret by itself, as those of chat services are.
  return { text, name: url.origin, kind: 'webhook', url };
}

/** `file:events.ndjson`, `file:/var/log/events.ndjson` and `file:///var/log/events.ndjson` are paths as `STORE` has them. */
function filePath(rest: string): string {
  return rest.startsWith('///') ? rest.slice(2) : rest;
}
