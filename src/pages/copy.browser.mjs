// Buttons with `data-copy`: the id of the element whose text they copy.

for (const button of document.querySelectorAll('button[data-copy]')) {
  button.addEventListener('click', () => void copyFor(/** @type {HTMLButtonElement} */ (button)));
}

/** @param {HTMLButtonElement} button */
async function copyFor(button) {
  const source = document.getElementById(button.dataset['copy'] ?? '');
  if (!source) return;
  const label = button.textContent ?? '';
  button.textContent = (await copy(source)) ? 'Copied' : 'Press Ctrl+C';
  setTimeout(() => {
    button.textContent = label;
  }, 2000);
}

/**
 * There is a clipboard only in secure contexts: elsewhere the text is selected, for the visitor to copy.
 *
 * @param {HTMLElement} source
 */
async function copy(source) {
  try {
    await navigator.clipboard.writeText(source.textContent ?? '');
    return true;
  } catch {
    getSelection()?.selectAllChildren(source);
    return false;
  }
}
