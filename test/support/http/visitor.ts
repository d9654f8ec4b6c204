import { TOKEN } from './operator.ts';
import type { Service } from './service.ts';

/** Where `Service.request` says that it is. */
const ORIGIN = 'http://localhost';

/** A person with a browser who has logged in to the pages of a service. */
export async function logIn({ request }: Pick<Service, 'request'>) {
  const response = await request('/login', {
    method: 'POST',
    headers: { Accept: 'text/html', Origin: ORIGIN, 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token: TOKEN, next: '/units' }).toString(),
  });
  const cookie = (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const headers = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8', Cookie: cookie };
  return {
    headers,
    open: (target: string) => request(target, { headers }),
    /** Sends a form of a page. */
    send: (target: string, form: FormData | URLSearchParams, origin = ORIGIN) =>
      request(target, { method: 'POST', headers: { ...headers, Origin: origin }, body: form }),
    /** Opens the events that a page listens to. */
    listen: (target: string) => request(target, { headers: { ...headers, Accept: 'text/event-stream' } }),
  };
}

/** The text of a page as it is read, without markup. */
export async function textOf(response: Response): Promise<string> {
  const html = await response.text();
  return html
    .replace(/<(style|script)\b[^>]*>.*?<\/\1>/gs, '')
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ');
}

/** The form that sends units. */
export function unitsForm(text: string, more: Record<string, string | File> = {}): FormData {
  const form = new FormData();
  form.set('text', text);
  for (const [name, value] of Object.entries(more)) form.set(name, value);
  return form;
}

export interface ServerEvent {
  event: string;
  data: string;
}

/** Yields the server-sent events of a response. Leaving the loop is leaving the page. */
export async function* eventsOf({ body }: Response): AsyncGenerator<ServerEvent, void> {
  if (!body) throw new Error('no body');
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const lines = block.split('\n');
      const fields = (name: string) =>
        lines.flatMap((line) => (line.startsWith(`${name}: `) ? [line.slice(name.length + 2)] : []));
      const [event] = fields('event');
      if (event !== undefined) yield { event, data: fields('data').join('\n') };
    }
  }
}
