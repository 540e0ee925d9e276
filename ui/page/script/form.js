// Forms that somebody has begun to fill in are left alone by live updates, see
// morph.js. What a choice comes to is said while it is made.
document.addEventListener('input', (event) => {
  const form = event.target.closest('form[data-keep]');
  if (form) form.dataset.dirty = '';
});
document.addEventListener('reset', (event) => {
  delete event.target.dataset.dirty;
  setTimeout(settle);
});

// sayExpiry asks the server what the choice comes to.
let asked = 0;
async function sayExpiry(place) {
  const mine = ++asked;
  const query = new URLSearchParams();
  for (const field of place.querySelectorAll('[name]')) {
    if (field.type !== 'radio' || field.checked) query.set(field.name, field.value);
  }
  try {
    const response = await fetch('/expiry?' + query, { credentials: 'same-origin' });
    const words = await response.text();
    if (response.ok && mine === asked) place.querySelector('[data-expiry-words]').textContent = words;
  } catch { /* the words come with the answer to the form */ }
}

// offset of a time zone now, in words; nothing where there is no such zone.
function offset(zone) {
  try {
    return new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeZoneName: 'longOffset' }).formatToParts().find((part) => part.type === 'timeZoneName').value;
  } catch {
    return '';
  }
}

function sayZone(note) {
  const field = document.getElementById('timezone');
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const there = offset(field.value.trim());
  note.hidden = !there || there === offset(here);
  note.querySelector('b').textContent = here;
}

document.addEventListener('input', (event) => {
  const expiry = event.target.closest('[data-expiry]');
  if (expiry) {
    const mode = { number: 'in', unit: 'in', day: 'on' }[event.target.name];
    if (mode) expiry.querySelector(`[value=${mode}]`).checked = true;
    sayExpiry(expiry);
  }
  if (event.target.id === 'timezone') document.querySelectorAll('[data-zone-note]').forEach(sayZone);
});

function settle() {
  document.querySelectorAll('[data-zone-note]').forEach(sayZone);
}
document.addEventListener('swapped', settle);
settle();
