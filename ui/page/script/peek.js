// A thing is shown beside its list without leaving the list. Opening it moves the
// focus there, and closing it moves the focus back to the row.
import { swap } from './swap.js';

document.addEventListener('click', async (event) => {
  const link = event.target.closest('[data-peek]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  await swap(link.href, { history: 'replace' });
  const row = link.dataset.peek;
  (row ? document.querySelector(`[id="row-${CSS.escape(row)}"] th a`) : document.getElementById('peek-title'))?.focus();
});

// closePeek closes what is shown beside the list, unless a menu is open.
export const closePeek = () => document.querySelector('body:not(:has(details.menu[open])) #peek [data-peek]')?.click();
