// Choosing the permissions of a user: single ones, whole groups, or presets.
// The server returns the picker for each choice, with the difference to the
// stored permissions.
import { morph } from './morph.js';

const pickers = () => document.querySelectorAll('[data-picker]');
const boxes = (picker) => [...picker.querySelectorAll('input[name=ability]')];
const members = (picker, group) => boxes(picker).filter((box) => box.dataset.of === group);

// markGroups shows for each group whether all, some or none of its abilities
// are chosen.
function markGroups(picker) {
  for (const item of picker.querySelectorAll('[data-group]')) {
    const all = members(picker, item.dataset.group);
    const chosen = all.filter((box) => box.checked).length;
    const box = item.querySelector('input');
    box.checked = chosen === all.length;
    box.indeterminate = chosen > 0 && chosen < all.length;
  }
}

let lastRequest = 0;
async function updatePicker(picker) {
  markGroups(picker);
  const request = ++lastRequest;
  const chosen = boxes(picker).filter((box) => box.checked).map((box) => box.value).join();
  try {
    const response = await fetch('/users/permissions?' + new URLSearchParams({ held: picker.dataset.held, chosen }), { credentials: 'same-origin' });
    const text = await response.text();
    if (!response.ok || request !== lastRequest || !picker.isConnected) return;
    const fresh = new DOMParser().parseFromString(text, 'text/html').querySelector('[data-picker]');
    if (fresh) morph(picker, fresh, () => false);
  } catch { /* the server shows the difference again before saving */ }
  markGroups(picker);
}

document.addEventListener('change', (event) => {
  const picker = event.target.closest('[data-picker]');
  if (!picker) return;
  if (event.target.matches('[data-choose-group]')) {
    for (const box of members(picker, event.target.closest('[data-group]').dataset.group)) box.checked = event.target.checked;
  }
  updatePicker(picker);
});

document.addEventListener('click', (event) => {
  const preset = event.target.closest('[data-abilities]');
  if (!preset) return;
  event.preventDefault();
  const picker = preset.closest('[data-picker]');
  const ids = preset.dataset.abilities.split(',');
  for (const box of boxes(picker)) box.checked = ids.includes(box.value);
  preset.form.dataset.dirty = '';
  updatePicker(picker);
});

// A form that comes back from the server may already contain a difference.
const updatePickers = () => pickers().forEach((picker) => (picker.querySelector('[data-difference]').hidden ? markGroups(picker) : updatePicker(picker)));
document.addEventListener('swapped', updatePickers);
updatePickers();
