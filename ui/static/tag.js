// Tags are added and removed in place. What the server refuses is said at the
// field, and nothing that was typed is lost.
import { refresh, signIn } from './swap.js';
import { toast } from './toast.js';

document.addEventListener('submit', async (event) => {
  const form = event.target;
  if (!form.matches('[data-tags]')) return;
  event.preventDefault();
  const field = form.querySelector('[list]');
  if (field && !field.value.trim()) return;
  const body = new URLSearchParams(new FormData(form, event.submitter));
  let response;
  try {
    response = await fetch(form.getAttribute('action'), { method: 'POST', body, headers: { 'X-Fragment': 'none' }, credentials: 'same-origin' });
  } catch {
    return fault(form, field, 'The server cannot be reached. Nothing was changed.');
  }
  if (response.status === 401) return signIn();
  if (response.status === 422) return fault(form, field, await response.text());
  if (!response.ok) return fault(form, field, response.status === 404 ? 'It is gone by now: somebody has cleaned it up.' : 'The tags were not changed. You may lack the permission.');
  if (field) {
    fault(form, field, '');
    field.value = '';
    delete form.dataset.dirty;
  }
  refresh();
});

function fault(form, field, text) {
  if (!field) return text && toast({ severity: 'warning', text });
  const place = form.querySelector('[data-fault]');
  place.textContent = text;
  place.hidden = !text;
  field.toggleAttribute('aria-invalid', Boolean(text));
  if (text) field.setAttribute('aria-invalid', 'true');
}

document.addEventListener('input', (event) => {
  const form = event.target.closest('form[data-tags]');
  if (!form) return;
  form.dataset.dirty = '';
  if (!event.target.value) delete form.dataset.dirty;
  fault(form, event.target, '');
});

// toggle does not bubble.
document.addEventListener('toggle', (event) => {
  if (event.target.matches('.tag-add[open]')) event.target.querySelector('[list]').focus();
}, true);
