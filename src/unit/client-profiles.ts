import { areNear, lettersOf } from '../near-name.ts';
import type { Format, Tier } from '../protocol/request.ts';
import type { WantedVariants } from './unit.ts';

/** What one kind of client asks for: an entry of `PREWARM_FOR`, or of `for` in a unit. */
export interface Client {
  readonly name: ClientName;
  /** The widths of its screens or views in physical pixels. Empty: the width of a request that names none. */
  readonly screens: readonly number[];
}

/**
 * What each kind of client gets.
 *
 * `web`: `<img>` says in `Accept` what the browser can show. `android-app`: Coil, Glide and OkHttp name no format there, so they get `jpeg`
 * as they come; an app that names `f` itself can ask any Android for `webp`. `ios-app`: SDWebImage and URLSession name none either; iOS
 * 16 and later shows `avif`. `jpeg-only`: neither names `f` nor a format in `Accept`. `save-data`: says `Save-Data: on`, and is one of
 * the others.
 */
const PROFILES = {
  web: { formats: ['avif', 'webp'], tiers: [] },
  'android-app': { formats: ['webp', 'jpeg'], tiers: [] },
  'ios-app': { formats: ['avif', 'jpeg'], tiers: [] },
  'jpeg-only': { formats: ['jpeg'], tiers: [] },
  'save-data': { formats: [], tiers: ['saver'] },
} as const satisfies Record<string, { formats: readonly Format[]; tiers: readonly Tier[] }>;

export type ClientName = keyof typeof PROFILES;

export const CLIENT_NAMES = Object.keys(PROFILES) as readonly ClientName[];

/** Which variants are named one by one, and not by the clients that ask for them. */
export type NamedVariants = { readonly [Part in keyof WantedVariants]?: WantedVariants[Part] | undefined };

/** The widest that a variant can be, as in `WIDTHS`. */
const MAX_SCREEN = 16_383;
const SCREEN = /^[1-9]\d{0,4}$/;
const EXAMPLE = 'such as web or android-app:720,1080';

/**
 * Reads clients: names separated by commas, each with the widths of its screens behind a colon, if it has any, which are separated by commas,
 * too: `android-app:720,web:720,1080,save-data`.
 *
 * @throws Error that says what is wrong and names what is allowed, as the end of a sentence
 */
export function parseClients(text: string): readonly Client[] {
  const clients: { name: ClientName; screens: number[] }[] = [];
  for (const item of text.split(',').map((part) => part.trim())) {
    const [name = '', screen, ...rest] = item.split(':').map((part) => part.trim());
    const last = clients.at(-1);
    if (screen === undefined && /^\d+$/.test(name) && last && last.screens.length > 0) {
      last.screens.push(parseScreen(name));
      continue;
    }
    const client = CLIENT_NAMES.find((known) => known === name);
    if (client === undefined || rest.length > 0) throw new Error(unknownClient(item));
    if (client === 'save-data' && screen !== undefined)
      throw new Error('has a width for save-data, which is a tier and no screen: name it without one');
    clients.push({ name: client, screens: screen === undefined ? [] : [parseScreen(screen)] });
  }
  return clients;
}

/** The first words of the names of clients: `android`, `ios`. */
const SHORT_NAMES = CLIENT_NAMES.map((name) => name.split('-', 1)[0] ?? name);

/** Whether a word is meant to name a client, rightly or not: `web:720`, `Android`, `jpeg_only`. */
export function mayNameClient(word: string): boolean {
  const letters = lettersOf(word.split(':', 1)[0] ?? '');
  return [...CLIENT_NAMES, ...SHORT_NAMES].some((name) => areNear(letters, lettersOf(name)));
}

function parseScreen(text: string): number {
  const width = SCREEN.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
  if (width <= MAX_SCREEN) return width;
  throw new Error(
    `has the screen "${text.slice(0, 60)}": it must be a width in pixels from 1 to ${MAX_SCREEN}`,
  );
}

function unknownClient(item: string): string {
  const shown = item.length > 60 ? `${item.slice(0, 60)}…` : item;
  return `has the client "${shown}": it must be one or more of ${CLIENT_NAMES.join(', ')}, with the widths of their screens or without, ${EXAMPLE}`;
}

/**
 * Returns which variants are to be made: those that are named and those that the clients ask for, all combinations. So nothing that either
 * says is left out. What neither of them says is as in `base`.
 *
 * @returns widths that are not yet rungs of the ladder, where they are named or of screens
 */
export function wantedFor(
  clients: readonly Client[],
  named: NamedVariants,
  base: WantedVariants,
): WantedVariants {
  const ofClients = clients.map(({ name }) => PROFILES[name]);
  const screens = clients.flatMap((client) => client.screens);
  // `save-data` says nothing of widths.
  const hasDefaultWidth = clients.some(
    (client) => client.name !== 'save-data' && client.screens.length === 0,
  );
  return {
    widths: combine(screens, named.widths, base.widths, hasDefaultWidth),
    // A tier is added to the one that is asked for without `Save-Data`.
    tiers: combine<Tier>(
      ofClients.flatMap(({ tiers }) => tiers),
      named.tiers,
      base.tiers,
      true,
    ),
    formats: combine<Format>(
      ofClients.flatMap(({ formats }) => formats),
      named.formats,
      base.formats,
      false,
    ),
  };
}

/** @param hasBase - whether what is as in `base` is needed beside what the clients say, if nothing is named */
function combine<T>(
  ofClients: readonly T[],
  named: readonly T[] | undefined,
  base: readonly T[],
  hasBase: boolean,
): readonly T[] {
  const others = named ?? (hasBase || ofClients.length === 0 ? base : []);
  return [...new Set([...others, ...ofClients])];
}

/** From few formats to all of them. */
const CHOICES: readonly (readonly ClientName[])[] = [
  ['jpeg-only'],
  ['web'],
  ['android-app'],
  ['ios-app'],
  ['web', 'android-app'],
];

/** Returns the value of `PREWARM_FOR` that makes at least these variants; `undefined` if no client asks for one of their tiers. */
export function clientsFor({ widths, tiers, formats }: WantedVariants): string | undefined {
  if (tiers.includes('high')) return undefined;
  const makes = (names: readonly ClientName[]) =>
    formats.every((format) => names.some((name) => PROFILES[name].formats.some((made) => made === format)));
  const names = CHOICES.find(makes) ?? [];
  const clients: string[] = names.map((name) => `${name}:${widths.join(',')}`);
  return [...clients, ...(tiers.includes('saver') ? ['save-data'] : [])].join(',');
}
