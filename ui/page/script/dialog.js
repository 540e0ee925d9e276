// Dialogs, buttons that copy a text, and buttons that show a password.
import { swap } from './swap.js';
import { toast } from './toast.js';

// A click on the backdrop of a dialog closes it. The press must be on the
// backdrop as well: selecting a text in the dialog may end outside.
let pressedBackdrop = false;

function onBackdrop({ target, clientX, clientY }) {
  if (!target.matches?.('dialog:modal')) return false;
  const { left, right, top, bottom } = target.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}
document.addEventListener('pointerdown', (event) => { pressedBackdrop = onBackdrop(event); });

document.addEventListener('click', (event) => {
  const opener = event.target.closest('[data-open]');
  if (opener) document.getElementById(opener.dataset.open).showModal();

  const closer = event.target.closest('dialog:modal [data-close]');
  if (closer) {
    event.preventDefault();
    closer.closest('dialog').close();
  }
  if (pressedBackdrop && onBackdrop(event) && !event.target.matches('[data-stays]')) event.target.close();

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

// A dialog with a secret is closed only by its button. Browsers that support
// closedby do not need this code.
document.addEventListener('cancel', (event) => {
  if (event.target.matches('[data-stays]')) event.preventDefault();
}, true);
document.addEventListener('close', (event) => {
  if (event.target.matches('[data-stays]') && event.target.isConnected) event.target.showModal();
}, true);

// markStored notes in the form around a secret that the text was copied or
// downloaded. Otherwise the server asks before it closes the dialog.
export function markStored(element) {
  const mark = element.closest('dialog')?.querySelector('[data-stored]');
  if (mark) mark.value = 'yes';
}
document.addEventListener('copy', (event) => {
  const text = event.target.closest?.('#secret-text') ?? document.getSelection().anchorNode?.parentElement?.closest('#secret-text');
  if (text) markStored(text);
});

// A dialog in the page of the server is open inside the page. This makes it
// modal. Closing it goes to the address of the page without the dialog.
function makeModal() {
  const dialog = document.querySelector('dialog[data-modal][open]:not(:modal)');
  if (!dialog) return;
  dialog.removeAttribute('open');
  dialog.showModal();
  dialog.scrollTop = 0;
  if (!dialog.dataset.closeTo) return;
  const address = location.pathname + location.search;
  dialog.addEventListener('close', async () => {
    await swap(dialog.dataset.closeTo, { history: 'push' });
    // The focus returns to the link that opened the dialog.
    const opener = [...document.querySelectorAll('a[data-entry]')].find((a) => a.pathname + a.search === address);
    if (opener && !document.querySelector('dialog:modal')) opener.focus();
  }, { once: true });
}
document.addEventListener('swapped', makeModal);
makeModal();

async function copy(button) {
  const text = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(text.textContent);
  } catch { // there is no clipboard over plain HTTP; only visible text can be selected
    const copy = document.createElement('textarea');
    copy.value = text.textContent;
    button.after(copy);
    copy.select();
    document.execCommand('copy');
    copy.remove();
    button.focus();
  }
  markStored(button);
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
