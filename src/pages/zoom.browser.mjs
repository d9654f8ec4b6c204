// Links with `data-zoom`, the name of the image that they lead to: it opens above the page. A click shows its real pixels, another one the whole.

const dialog = document.createElement('dialog');
dialog.className = 'zoom';
const picture = document.createElement('button');
picture.type = 'button';
const close = document.createElement('button');
close.type = 'button';
close.textContent = 'Close';
close.addEventListener('click', () => dialog.close());
picture.addEventListener('click', () => label(dialog.classList.toggle('real')));
dialog.append(close, picture);
document.body.append(dialog);

document.addEventListener('click', (event) => {
  const link = event.target instanceof Element ? event.target.closest('a[data-zoom]') : null;
  // With a key, a link opens elsewhere.
  if (!(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const image = new Image();
  image.src = link.href;
  image.alt = link.dataset['zoom'] ?? '';
  picture.replaceChildren(image);
  dialog.setAttribute('aria-label', image.alt);
  dialog.classList.remove('real');
  label(false);
  dialog.showModal();
});

/** @param {boolean} isReal */
function label(isReal) {
  picture.title = isReal ? 'Show the whole image' : 'Show real pixels';
}
