const NAME = 'edgepress';

/** The options in the context of an app: of the object `edgepress`, and of each `edgepress.NAME`, which wins. Nothing is checked. */
export function optionsInContext(context: Readonly<Record<string, unknown>>): unknown {
  const whole = context[NAME];
  // Left to whoever checks the options to refuse.
  if (whole !== undefined && (typeof whole !== 'object' || whole === null || Array.isArray(whole)))
    return whole;
  const single = Object.entries(context)
    .filter(([name]) => name.startsWith(`${NAME}.`))
    .map(([name, value]) => [name.slice(NAME.length + 1), value]);
  return { ...whole, ...Object.fromEntries(single) };
}
