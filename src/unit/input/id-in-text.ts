/** In how much of a text the id is looked for, in UTF-16 units. */
const ID_WITHIN = 2000;
const ID = /"id"\s*:\s*(?:"([^"\\]{1,128})"|(\d{1,19})\b)/;

/** Returns the id in a text that is no JSON, to name the unit in a refusal; `undefined` if none is found. */
export function idIn(text: string): string | undefined {
  const [, quoted, digits] = ID.exec(text.slice(0, ID_WITHIN)) ?? [];
  return quoted ?? digits;
}
