// Filters that are applied when they are chosen, or when their button is
// pressed.
import { swap } from './swap.js';

const searchDelay = 250; // ms without a keystroke before a search begins
let timer = 0;

// address returns the address that the form asks for, without empty parameters.
function address(form) {
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ''));
  return form.getAttribute('action') + (query.size ? '?' + query : '');
}

function submit(form, history) {
  delete form.dataset.dirty;
  swap(address(form), { history });
}

document.addEventListener('input', (event) => {
  const field = event.target;
  if (field.matches('[data-narrow]')) return narrow(field);
  if (field.matches('[data-custom]')) field.closest('fieldset').querySelector('[value=custom]').checked = field.value !== '';
  const form = field.form;
  if (form?.matches('[data-apply]')) {
    form.dataset.dirty = '';
    enableApply(form);
  }
  if (form?.matches('[data-auto]')) {
    form.dataset.dirty = ''; // a pending answer must not overwrite the input
    clearTimeout(timer);
    timer = setTimeout(submit, field.type === 'search' ? searchDelay : 0, form, 'replace');
  }
});

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (!form.matches('[data-auto], [data-apply]')) return;
  event.preventDefault();
  clearTimeout(timer);
  for (const menu of form.querySelectorAll('details[open]')) menu.open = false;
  submit(form, form.matches('[data-apply]') ? 'push' : 'replace');
});

// enableApply enables the button if the filters have changed.
function enableApply(form) {
  form.querySelector('#apply').disabled = !('dirty' in form.dataset);
}

// narrow shows the options whose label, value or group contains the text.
function narrow(field) {
  const text = field.value.trim().toLowerCase();
  const has = (words) => words.toLowerCase().includes(text);
  let group = null;
  for (const item of field.closest('fieldset').querySelectorAll('.options li')) {
    if (item.matches('.option-group')) {
      group = item;
      item.hidden = text !== '';
      continue;
    }
    item.hidden = !has(item.textContent + ' ' + (item.querySelector('input')?.value ?? '')) && !(group && has(group.textContent));
    if (group && !item.hidden) group.hidden = false;
  }
}

function updateFilters() {
  document.querySelectorAll('form[data-apply]').forEach(enableApply);
  document.querySelectorAll('[data-narrow]').forEach(narrow);
}
document.addEventListener('swapped', updateFilters);
updateFilters();
