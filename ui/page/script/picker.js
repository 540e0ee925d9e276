// Choosing what a user may do: whole groups at once, kinds of users, and what
// the change comes to, before it is sent. The server says what that is.
import { morph } from './morph.js';

const pickers = () => document.querySelectorAll('[data-picker]');
const boxes = (picker) => [...picker.querySelectorAll('input[name=ability]')];
const members = (picker, group) => boxes(picker).filter((box) => box.dataset.of === group);

// mark shows at each group whether all, some or none of it is chosen.
function mark(picker) {
  for (const item of picker.querySelectorAll('[data-group]')) {
    const all = members(picker, item.dataset.group);
    const chosen = all.filter((box) => box.checked).length;
    const box = item.querySelector('input');
    box.checked = chosen === all.length;
    box.indeterminate = chosen > 0 && chosen < all.length;
  }
}

let asked = 0;
async function show(picker) {
  mark(picker);
  const mine = ++asked;
  const chosen = boxes(picker).filter((box) => box.checked).map((box) => box.value).join();
  try {
    const response = await fetch('/users/permissions?' + new URLSearchParams({ held: picker.dataset.held, chosen }), { credentials: 'same-origin' });
    const text = await response.text();
    if (!response.ok || mine !== asked || !picker.isConnected) return;
    const fresh = new DOMParser().parseFromString(text, 'text/html').querySelector('[data-picker]');
    if (fresh) morph(picker, fresh, () => false);
  } catch { /* it is said again before anything is saved */ }
  mark(picker);
}

document.addEventListener('change', (event) => {
  const picker = event.target.closest('[data-picker]');
  if (!picker) return;
  if (event.target.matches('[data-choose-group]')) {
    for (const box of members(picker, event.target.closest('[data-group]').dataset.group)) box.checked = event.target.checked;
  }
  show(picker);
});

document.addEventListener('click', (event) => {
  const preset = event.target.closest('[data-abilities]');
  if (!preset) return;
  event.preventDefault();
  const picker = preset.closest('[data-picker]');
  const ids = preset.dataset.abilities.split(',');
  for (const box of boxes(picker)) box.checked = ids.includes(box.value);
  preset.form.dataset.dirty = '';
  show(picker);
});

// A form that comes back from the server shows a difference already.
const settle = () => pickers().forEach((picker) => (picker.querySelector('[data-difference]').hidden ? mark(picker) : show(picker)));
document.addEventListener('swapped', settle);
settle();
