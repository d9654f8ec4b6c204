// Forms with `data-drop`: a file that is dropped on one is chosen. Sections with `data-watch`: the path of the events that change them.

const MAX_FILE_BYTES = 16 * 2 ** 20;
const REOPEN_MS = 5000;

for (const form of document.querySelectorAll('form[data-drop]')) {
  const file = /** @type {HTMLInputElement} */ (form.querySelector('input[type=file]'));
  const text = /** @type {HTMLTextAreaElement} */ (form.querySelector('textarea'));
  const check = () => {
    const isLarge = (file.files?.[0]?.size ?? 0) > MAX_FILE_BYTES;
    file.setCustomValidity(isLarge ? 'This file has more than 16 MiB.' : '');
    text.setCustomValidity(
      text.value.trim() === '' && !file.files?.length ? 'Paste units, or choose a file.' : '',
    );
  };
  for (const name of ['input', 'change']) form.addEventListener(name, check);
  check();
  form.addEventListener('dragover', (event) => {
    event.preventDefault();
    form.classList.add('over');
  });
  form.addEventListener('dragleave', () => form.classList.remove('over'));
  form.addEventListener('drop', (event) => {
    event.preventDefault();
    form.classList.remove('over');
    const files = /** @type {DragEvent} */ (event).dataTransfer?.files;
    if (!files?.length) return;
    file.files = files;
    check();
    file.focus();
  });
}

for (const section of document.querySelectorAll('section[data-target]')) {
  const { target = '', watch: events } = /** @type {HTMLElement} */ (section).dataset;
  // So that it can be loaded again: this page may be the answer to a form.
  history.replaceState(null, '', target);
  if (events !== undefined) follow(section, events);
}

/**
 * Replaces the rows of units and their sum as the server sends them.
 *
 * @param {Element} section
 * @param {string} url
 */
function follow(section, url) {
  const live = /** @type {HTMLElement} */ (section.querySelector('[data-live]'));
  const say = (/** @type {string} */ text) => {
    live.hidden = text === '';
    live.textContent = text;
  };
  const source = new EventSource(url);
  const lead = live.textContent ?? '';
  source.addEventListener('begin', () => say('Live: this page changes by itself.'));
  source.addEventListener('trouble', ({ data }) => say(data));
  for (const event of ['totals', 'waiting']) source.addEventListener(event, ({ data }) => replace(data));
  source.addEventListener('unit', ({ data }) => {
    say(lead);
    replace(data);
  });
  source.addEventListener('done', () => {
    source.close();
    say('The units shown here are done.');
  });
  source.addEventListener('error', () => {
    say('Not live just now: trying again. If this stays, load the page again.');
    // The browser opens it again by itself after an interruption, and not after a refusal.
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => follow(section, url), REOPEN_MS);
  });
}

/**
 * Puts an element in place of the one with its id, and leaves the focus where it is.
 *
 * @param {string} html - made by the server, which escapes what it shows
 */
function replace(html) {
  const template = document.createElement('template');
  template.innerHTML = html;
  const element = template.content.firstElementChild;
  const old = element && document.getElementById(element.id);
  if (!old) return;
  const focused = old.contains(document.activeElement)
    ? document.activeElement?.getAttribute('href')
    : undefined;
  old.replaceWith(element);
  const links = [...element.querySelectorAll('a')];
  if (focused) links.find((link) => link.getAttribute('href') === focused)?.focus();
}
