// Keys: Ctrl K and / open the palette, f finds in the list, g and a letter opens
// a section, ? shows all keys, and arrows move through the rows of a table.
import { openPalette } from './palette.js';
import { closePeek } from './peek.js';

const letterDelay = 1200; // ms that may pass between g and the letter
const storageKey = 'trento-heading'; // path of a page that was opened with keys
let pressedGAt = 0;

const isTextField = (element) => element.matches('input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]');

document.addEventListener('keydown', (event) => {
  if (event.key === 'k' && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) return openPalette(event);
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const target = event.target;
  if (isTextField(target)) {
    if (event.key === 'ArrowDown' && target.matches('[data-find]')) focusRow(event, document.querySelector('table.rows tbody tr'));
    return;
  }
  if (document.querySelector('dialog:modal')) return;
  if (Date.now() - pressedGAt < letterDelay) {
    pressedGAt = 0;
    const link = document.querySelector(`.sidebar a[data-key="${CSS.escape(event.key)}"]`);
    if (link) {
      event.preventDefault();
      sessionStorage.setItem(storageKey, link.pathname);
      location.assign(link.href);
    }
    return;
  }
  // From the head of a table, from its pages and from the heading that "g h" leads
  // to, the arrows lead to its first and last row.
  const row = target.closest('table.rows tbody tr');
  const panel = target.closest('.table-panel') ?? (target.matches('main h1') && document.querySelector('main .table-panel'));
  const rows = panel && panel.querySelector('table.rows tbody');
  switch (event.key) {
    case 'g':
      pressedGAt = Date.now();
      break;
    case '/':
      openPalette(event);
      break;
    case 'f':
      focusField(event, '[data-find]');
      break;
    case '?':
      event.preventDefault();
      document.getElementById('keys')?.showModal();
      break;
    case 'ArrowDown':
      focusRow(event, row ? row.nextElementSibling : rows?.firstElementChild);
      break;
    case 'ArrowUp':
      focusRow(event, row ? row.previousElementSibling : rows?.lastElementChild, 'previousElementSibling');
      break;
    case 'Home':
      focusRow(event, rows?.firstElementChild);
      break;
    case 'End':
      focusRow(event, rows?.lastElementChild);
      break;
    case 'ArrowRight':
      row?.querySelector('[data-peek]')?.click();
      break;
    case 'ArrowLeft':
    case 'Escape':
      if (target === document.body || target.closest('.beside')) closePeek();
      break;
    case ' ': {
      const box = target.matches('a') && row?.querySelector('input[form=choice]');
      if (!box) break;
      event.preventDefault();
      box.click();
    }
  }
});

function focusField(event, which) {
  const field = [...document.querySelectorAll(which)].find((f) => f.checkVisibility());
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
}

// focusRow focuses the link of a row to its thing, or of the row behind a mark of a day.
function focusRow(event, row, next = 'nextElementSibling') {
  while (row?.matches('.day')) row = row[next];
  const link = row?.querySelector('th a') ?? row?.querySelector('a');
  if (!link) return;
  event.preventDefault();
  link.focus();
}

// After opening a page with keys, the focus is on its heading.
if (sessionStorage.getItem(storageKey) === location.pathname) {
  const heading = document.querySelector('main h1');
  heading?.setAttribute('tabindex', '-1');
  heading?.focus();
}
sessionStorage.removeItem(storageKey);
