// The slider over two pictures: where they are divided, how large they are shown, and which part of them.

const MAX_PERCENT = 100;
/** How near to the divider a mouse takes hold of it, in CSS pixels. */
const GRIP = 24;

/**
 * @template {HTMLElement} T
 * @param {string} selector
 * @param {new () => T} kind
 */
function find(selector, kind) {
  const found = document.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`there is no ${selector}`);
  return found;
}

const viewport = find('.viewport', HTMLElement);
const stage = find('.stage', HTMLElement);
const divider = find('.divider', HTMLElement);
const original = find('img.original', HTMLImageElement);
const variant = find('img.variant', HTMLImageElement);
const split = find('#split', HTMLInputElement);
const zooms = /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('input[name="zoom"]'));

const zoom = () => Number([...zooms].find(({ checked }) => checked)?.value ?? 1);

/** The visible part of the pictures, in CSS pixels from the left edge of the viewport. */
function visible() {
  const left = stage.offsetLeft - viewport.scrollLeft;
  return { from: Math.max(0, left), to: Math.min(viewport.clientWidth, left + stage.clientWidth), left };
}

/** Draws the divider, with the original on its left. */
function divide() {
  const { from, to, left } = visible();
  const at = from + ((to - from) * Number(split.value)) / MAX_PERCENT;
  divider.style.left = `${at}px`;
  original.style.clipPath = `inset(0 ${Math.max(0, stage.clientWidth - (at - left))}px 0 0)`;
}

/** Shows the variant at its own pixels, times the zoom, around the same point as before. */
function resize() {
  if (variant.naturalWidth === 0) return;
  const middle = (viewport.clientWidth / 2 - visible().left) / Math.max(1, stage.clientWidth);
  const center = (viewport.scrollTop + viewport.clientHeight / 2) / Math.max(1, stage.clientHeight);
  const width = (variant.naturalWidth * zoom()) / devicePixelRatio;
  stage.style.width = `${width}px`;
  stage.style.aspectRatio = `${variant.naturalWidth} / ${variant.naturalHeight}`;
  for (const picture of [original, variant]) {
    // Pixels are shown as they are where they are enlarged; what is made smaller is smoothed.
    const isEnlarged = zoom() > 1 && picture.naturalWidth <= width * devicePixelRatio;
    picture.style.imageRendering = isEnlarged ? 'pixelated' : '';
  }
  viewport.scrollLeft = stage.offsetLeft + middle * stage.clientWidth - viewport.clientWidth / 2;
  viewport.scrollTop = center * stage.clientHeight - viewport.clientHeight / 2;
  divide();
}

/** @param {number} clientX */
function divideAt(clientX) {
  const { from, to } = visible();
  const at = clientX - viewport.getBoundingClientRect().left;
  split.value = String((MAX_PERCENT * (at - from)) / Math.max(1, to - from));
  divide();
}

/**
 * Calls `onMove` while the pointer is down.
 *
 * @param {HTMLElement} element
 * @param {PointerEvent} down
 * @param {(move: PointerEvent) => void} onMove
 */
function drag(element, down, onMove) {
  down.preventDefault();
  element.setPointerCapture(down.pointerId);
  element.addEventListener('pointermove', onMove);
  const stop = () => element.removeEventListener('pointermove', onMove);
  element.addEventListener('lostpointercapture', stop, { once: true });
}

divider.addEventListener('pointerdown', (down) => drag(divider, down, (move) => divideAt(move.clientX)));
viewport.addEventListener('pointerdown', (down) => {
  // A finger scrolls without this.
  if (down.pointerType !== 'mouse' || down.button !== 0) return;
  const isNear = Math.abs(down.clientX - divider.getBoundingClientRect().left) < GRIP;
  viewport.focus({ preventScroll: true });
  drag(viewport, down, (move) => {
    if (isNear) divideAt(move.clientX);
    else viewport.scrollBy(-move.movementX, -move.movementY);
  });
});
viewport.addEventListener('keydown', ({ key }) => {
  const step = key === '+' || key === '=' ? 1 : key === '-' ? -1 : 0;
  const next = zooms[[...zooms].findIndex(({ checked }) => checked) + step];
  if (step === 0 || !next) return;
  next.checked = true;
  resize();
});
viewport.addEventListener('scroll', divide);
split.addEventListener('input', divide);
for (const input of zooms) input.addEventListener('change', resize);
for (const picture of [original, variant]) picture.addEventListener('load', resize);
addEventListener('resize', resize);
resize();
