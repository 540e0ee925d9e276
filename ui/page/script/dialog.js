// Dialogs, copying, and showing what is hidden.
import { swap } from './swap.js';
import { toast } from './toast.js';

// The veil around a dialog belongs to the dialog, and so do the blanks in it. A
// text that is selected inside may end outside, which asks for nothing.
let pressedVeil = false;

function onVeil({ target, clientX, clientY }) {
  if (!target.matches?.('dialog:modal')) return false;
  const { left, right, top, bottom } = target.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}
document.addEventListener('pointerdown', (event) => { pressedVeil = onVeil(event); });

document.addEventListener('click', (event) => {
  const opener = event.target.closest('[data-open]');
  if (opener) document.getElementById(opener.dataset.open).showModal();

  const closer = event.target.closest('dialog:modal [data-close]');
  if (closer) {
    event.preventDefault();
    closer.closest('dialog').close();
  }
  if (pressedVeil && onVeil(event) && !event.target.matches('[data-stays]')) event.target.close();

  const copier = event.target.closest('[data-copy]');
  if (copier) copy(copier);

  const revealer = event.target.closest('[data-reveal]');
  if (revealer) {
    const field = document.getElementById(revealer.dataset.reveal);
    const shown = field.type === 'password';
    field.type = shown ? 'text' : 'password';
    revealer.setAttribute('aria-pressed', shown);
  }
});

// A dialog with a secret goes with its button only. Browsers that know closedby
// need none of this.
document.addEventListener('cancel', (event) => {
  if (event.target.matches('[data-stays]')) event.preventDefault();
}, true);
document.addEventListener('close', (event) => {
  if (event.target.matches('[data-stays]') && event.target.isConnected) event.target.showModal();
}, true);

// stored tells the form around a secret that its text was copied or downloaded.
// The server asks where nothing did.
export function stored(element) {
  const mark = element.closest('dialog')?.querySelector('[data-stored]');
  if (mark) mark.value = 'yes';
}
document.addEventListener('copy', (event) => {
  const text = event.target.closest?.('#secret-text') ?? document.getSelection().anchorNode?.parentElement?.closest('#secret-text');
  if (text) stored(text);
});

// A dialog the page came with is open in the flow of the page. With scripts it
// becomes modal, and closing it goes to the page without it.
function lift() {
  const dialog = document.querySelector('dialog[data-modal][open]:not(:modal)');
  if (!dialog) return;
  dialog.removeAttribute('open');
  dialog.showModal();
  dialog.scrollTop = 0;
  if (!dialog.dataset.closeTo) return;
  const address = location.pathname + location.search;
  dialog.addEventListener('close', async () => {
    await swap(dialog.dataset.closeTo, { history: 'push' });
    // Whoever closes it goes on where it was opened.
    const opener = [...document.querySelectorAll('a[data-entry]')].find((a) => a.pathname + a.search === address);
    if (opener && !document.querySelector('dialog:modal')) opener.focus();
  }, { once: true });
}
document.addEventListener('swapped', lift);
lift();

async function copy(button) {
  const text = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(text.textContent);
  } catch { // no clipboard over plain HTTP; what is hidden cannot be selected
    const copy = document.createElement('textarea');
    copy.value = text.textContent;
    button.after(copy);
    copy.select();
    document.execCommand('copy');
    copy.remove();
    button.focus();
  }
  stored(button);
  button.classList.add('done');
  button.title = 'Copied to clipboard';
  button.querySelector('use').setAttribute('href', '#i-check');
  toast({ severity: 'info', text: 'Copied to clipboard' });
  setTimeout(() => {
    button.classList.remove('done');
    button.title = 'copy to clipboard';
    button.querySelector('use').setAttribute('href', '#i-copy');
  }, 2000);
}
