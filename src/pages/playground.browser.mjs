// Asks for every variant, and shows what its answer says: bytes, times, money, and what was saved.

/** @typedef {{ bytes: number, type: string, cacheStatus: string, serverTiming: string }} Made */

/** How many variants are asked for at once. */
const AT_ONCE = 2;
const VIEWS = 1000;

/** @param {string} id */
function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`there is no #${id}`);
  return found;
}

const table = byId('table');
const price = /** @type {HTMLInputElement} */ (byId('price'));
const variantImage = /** @type {HTMLImageElement} */ (document.querySelector('img.variant'));
const rows = /** @type {HTMLTableRowElement[]} */ ([...table.querySelectorAll('tr[data-path]')]);
const [slowBits = 1, bits3g = 1] = [...table.querySelectorAll('th[data-bits]')].map((head) =>
  Number(/** @type {HTMLElement} */ (head).dataset['bits']),
);
const source = {
  bytes: Number(table.dataset['bytes']),
  width: Number(table.dataset['width']),
  height: Number(table.dataset['height']),
};
/** @type {Map<HTMLElement, Made>} */
const made = new Map();

/** @param {number} value */
const rounded = (value) => value.toFixed(value < 99.95 ? 1 : 0);
/** @param {number} bytes */
const size = (bytes) => (bytes < 999_500 ? `${rounded(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(2)} MB`);
/** @param {number} part */
const percent = (part) => `${rounded(100 * part)}%`;
/**
 * @param {number} bytes
 * @param {number} bits
 */
const seconds = (bytes, bits) => `${((8 * bytes) / bits).toFixed(1)} s`;
/** @param {number} bytes */
const cost = (bytes) => `$${((VIEWS * bytes * Number(price.value)) / 1e6).toFixed(2)}`;

/**
 * @param {HTMLElement} row
 * @param {Record<string, string>} cells
 */
function fill(row, cells) {
  for (const [name, text] of Object.entries(cells)) {
    const cell = row.querySelector(`[data-cell="${name}"]`);
    if (cell) cell.textContent = text;
  }
}

/**
 * @param {HTMLElement} row
 * @param {number} bytes
 */
function fillBytes(row, bytes) {
  fill(row, {
    bytes: size(bytes),
    percent: percent(bytes / source.bytes),
    slow: seconds(bytes, slowBits),
    '3g': seconds(bytes, bits3g),
    price: cost(bytes),
  });
}

/** @param {Made} variant */
function timeOf({ cacheStatus, serverTiming }) {
  const steps = [...serverTiming.matchAll(/(\w+);dur=([\d.]+)/g)].map(
    ([, name, ms]) => `${name} ${Number(ms).toFixed(Number(ms) < 10 ? 1 : 0)}`,
  );
  return cacheStatus.includes('hit') ? `stored already, ${steps.join(', ')}` : steps.join(', ');
}

/**
 * @param {HTMLElement} row
 * @param {Made} variant
 */
function showMade(row, variant) {
  made.set(row, variant);
  const type = variant.type.replace('image/', '');
  const isOther = !row.dataset['label']?.startsWith(type);
  fill(row, { time: timeOf(variant), type: isOther ? `sent as ${type}` : '' });
  fillBytes(row, variant.bytes);
}

/** @param {HTMLElement} row */
async function askFor(row) {
  // What it costs the service, not what this browser has kept.
  const response = await fetch(row.dataset['path'] ?? '', { cache: 'no-store' });
  const { headers } = response;
  if (!response.ok) {
    const problem = await response.json();
    fill(row, { time: `${problem.title}: ${problem.detail}` });
    return;
  }
  const { size: bytes, type } = await response.blob();
  const cacheStatus = headers.get('Cache-Status') ?? '';
  showMade(row, { bytes, type, cacheStatus, serverTiming: headers.get('Server-Timing') ?? '' });
}

/** @param {number} saved bytes */
function resultOf(saved) {
  if (saved > 0) return `${percent(saved / source.bytes)} less`;
  if (saved === 0) return 'no smaller file looks as good';
  return 'larger, since not every client shows the type of the original';
}

/** Shows how the saved bytes divide, once it is known how large the variant is. */
function showSavings() {
  const variant = made.get(chosen());
  if (!variant || variantImage.naturalWidth === 0) return;
  const { naturalWidth: width, naturalHeight: height } = variantImage;
  const saved = source.bytes - variant.bytes;
  // With the bytes that the original has for each pixel.
  const scaled = source.bytes * Math.min(1, (width * height) / (source.width * source.height));
  const resized = Math.max(0, source.bytes - Math.max(scaled, variant.bytes));
  const compressed = Math.max(0, saved - resized);
  byId('saved').textContent = `${size(source.bytes)} → ${size(variant.bytes)}: ${resultOf(saved)}`;
  byId('sizes').textContent =
    `The original has ${source.width}×${source.height} pixels, the variant ${width}×${height}.`;
  for (const [name, bytes] of Object.entries({ sent: variant.bytes, compressed, resized })) {
    const part = bytes / Math.max(source.bytes, variant.bytes);
    const segment = /** @type {HTMLElement} */ (document.querySelector(`.bar .${name}`));
    segment.style.width = `${100 * part}%`;
    byId(name).textContent = `${size(bytes)}, ${percent(part)}`;
  }
}

function chosen() {
  const radio = table.querySelector('input[name="shown"]:checked');
  return /** @type {HTMLElement} */ (radio?.closest('tr') ?? rows[0]);
}

/** Compares the chosen variant with the original. */
function showChosen() {
  const { path = '', label = '', url = '' } = chosen().dataset;
  if (variantImage.getAttribute('src') !== path) variantImage.src = path;
  variantImage.alt = `The variant ${label}`;
  byId('shown').textContent = label;
  byId('url').textContent = url;
  showSavings();
}

/** @param {string} language */
function showCode(language) {
  for (const panel of document.querySelectorAll('[data-language]')) {
    /** @type {HTMLElement} */ (panel).hidden =
      /** @type {HTMLElement} */ (panel).dataset['language'] !== language;
  }
}

function showPrices() {
  fillBytes(byId('original-row'), source.bytes);
  for (const [row, { bytes }] of made) fillBytes(row, bytes);
}

/** Asks for what is not known yet, from the first row to the last. */
async function askForAll() {
  const waiting = rows.filter((row) => !made.has(row));
  const work = async () => {
    for (let row = waiting.shift(); row; row = waiting.shift()) {
      fill(row, { time: 'being made …' });
      const asked = row;
      await askFor(row).catch(() => fill(asked, { time: 'no answer from the service' }));
      byId('progress').textContent = `${made.size} of ${rows.length} made`;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  showSavings();
}

for (const radio of document.querySelectorAll('input[name="shown"]'))
  radio.addEventListener('change', showChosen);
for (const radio of document.querySelectorAll('input[name="language"]')) {
  radio.addEventListener('change', () => showCode(/** @type {HTMLInputElement} */ (radio).value));
}
variantImage.addEventListener('load', showSavings);
price.addEventListener('input', showPrices);
for (const row of rows) if (row.dataset['made']) showMade(row, JSON.parse(row.dataset['made']));
const language = document.querySelector('input[name="language"]:checked');
showCode(/** @type {HTMLInputElement} */ (language).value);
showPrices();
showChosen();
void askForAll();
