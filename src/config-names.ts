import { areNear, lettersOf } from './near-name.ts';

/** A prefix that some put before the variables of a program; these have none. */
const PREFIX = /^edgepress_/i;
/** Their first words are in no name but those of this program. */
const OWN_WORDS = ['PREWARM', 'SIGNING'];
/** What the SDK of OpenTelemetry reads itself. */
const OPENTELEMETRY = /^OTEL_/;
/** systemd sets the one for its services, and many people the other for their shell: a letter or two from `NOTIFY_SECRET` and `PAGES`. */
const OTHERS = ['NOTIFY_SOCKET', 'PAGER'];
/** What Kubernetes sets for each service of a namespace, whatever its name: these names, and `{SERVICE}_PORT` with such a value. */
const KUBERNETES = {
  name: /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP|SCTP)(_|$)/,
  value: /^(tcp|udp|sctp):\/\//,
};

/**
 * Returns a fault for each variable that is set, is none of these, and has a name that looks like one of them: a misspelt variable has no
 * effect, and without `SIGNING_KEYS` or `SOURCE_ALLOW` a service is open to everyone.
 *
 * @param names - of all variables that there are
 * @param ignored - the variables of other programs
 */
export function misspeltVariables(
  env: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
  ignored: readonly string[],
): string[] {
  const known = names.map((name) => ({ name, letters: lettersOf(name) }));
  const meantBy = (name: string): string | undefined => {
    const letters = lettersOf(name.replace(PREFIX, ''));
    const near =
      known.find((one) => one.letters === letters) ?? known.find((one) => areNear(letters, one.letters));
    return near?.name ?? nameWithSameWords(name, names);
  };
  return Object.entries(env).flatMap(([name, value]) => {
    if (!value || names.includes(name) || ignored.includes(name)) return [];
    if (OTHERS.includes(name) || OPENTELEMETRY.test(name)) return [];
    if (KUBERNETES.name.test(name) || KUBERNETES.value.test(value)) return [];
    const meant = meantBy(name);
    return meant === undefined
      ? []
      : [
          `${name}: there is no such variable: ${meant} is probably meant. If it belongs to another program, name it in IGNORED_VARIABLES`,
        ];
  });
}

/**
 * Returns the variable that a name continues, such as `ADMIN_TOKEN_FILE`; or that has the same words in another form or order, such as
 * `ALLOWED_SOURCES`; or the first one with a word that only we use.
 */
function nameWithSameWords(name: string, names: readonly string[]): string | undefined {
  const stems = stemsOf(name);
  const [word = ''] = name.split('_', 1);
  return (
    names.find((one) => one.includes('_') && name.startsWith(`${one}_`)) ??
    names.find((one) => one.includes('_') && stemsOf(one) === stems) ??
    names.find((one) => OWN_WORDS.includes(word) && one.startsWith(`${word}_`))
  );
}

/** The first four letters of each word, in alphabetical order. */
function stemsOf(name: string): string {
  const stems = name.toUpperCase().split('_');
  return stems
    .map((word) => word.slice(0, 4))
    .sort()
    .join('_');
}
