// Tags are added and removed without leaving the page. If the server refuses a
// tag, the field shows the reason and keeps the input.
import { refresh, signIn } from './swap.js';
import { toast } from './toast.js';

document.addEventListener('submit', async (event) => {
  const form = event.target;
  if (!form.matches('[data-tags]')) return;
  event.preventDefault();
  const field = form.querySelector('[list]');
  const typed = field?.value ?? '';
  if (field && !typed.trim()) return;
  const body = new URLSearchParams(new FormData(form, event.submitter));
  const removed = field ? null : event.submitter;
  const neighbours = removed ? neighboursOf(removed) : [];
  // The next tag can be typed or removed while this one is being sent.
  if (field) clear(form, field);
  else removed.dataset.removing = '';
  const failure = await send(form.getAttribute('action'), body);
  if (failure) {
    if (removed) delete removed.dataset.removing;
    return restore(form, field, typed, failure);
  }
  await refresh();
  const lost = [document.body, document.getElementById('main')].includes(document.activeElement);
  if (removed && lost) neighbours.find((e) => e.isConnected && !('removing' in e.dataset))?.focus();
});

// send returns what went wrong; nothing if it succeeded.
async function send(url, body) {
  let response;
  try {
    response = await fetch(url, { method: 'POST', body, headers: { 'X-Fragment': 'none' }, credentials: 'same-origin' });
  } catch {
    return 'The server cannot be reached. Nothing was changed.';
  }
  if (response.status === 401) return signIn();
  if (response.status === 422) return response.text();
  if (response.status === 404) return 'It is gone by now: somebody has cleaned it up.';
  if (!response.ok) return 'The tags were not changed. You may lack the permission.';
}

function clear(form, field) {
  field.value = '';
  delete form.dataset.dirty;
  showFault(form, field, '');
}

// restore puts a refused tag back into the field, unless something else has
// been typed meanwhile.
function restore(form, field, typed, failure) {
  if (!field || field.value) return toast({ severity: 'warning', text: field ? `${typed}: ${failure}` : failure });
  field.value = typed;
  form.dataset.dirty = '';
  showFault(form, field, failure);
}

// neighboursOf returns the elements to focus after a tag was removed, the best
// first: the tags behind it, those before it, and the button that adds one. The
// caller leaves out those that are gone by then, or being removed as well.
function neighboursOf(button) {
  const editor = button.closest('.tags');
  const buttons = [...editor.querySelectorAll('.tag-list button')];
  const at = buttons.indexOf(button);
  return [...buttons.slice(at + 1), ...buttons.slice(0, at).reverse(), editor.querySelector('.tag-add > summary')];
}

function showFault(form, field, text) {
  const place = form.querySelector('[data-fault]');
  place.textContent = text;
  place.hidden = !text;
  if (text) field.setAttribute('aria-invalid', 'true');
  else field.removeAttribute('aria-invalid');
}

document.addEventListener('input', (event) => {
  const form = event.target.closest('form[data-tags]');
  if (!form) return;
  if (event.target.value) form.dataset.dirty = '';
  else delete form.dataset.dirty;
  showFault(form, event.target, '');
});

// The field is shown and focused at once, so that what is typed right after the
// click goes into it. The event "toggle" would come too late.
document.addEventListener('click', (event) => {
  const summary = event.target.closest('.tag-add > summary');
  const menu = summary?.parentElement;
  if (!menu || menu.open) return;
  event.preventDefault();
  menu.open = true;
  menu.querySelector('[list]').focus();
});
