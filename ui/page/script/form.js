// Live updates leave forms alone that somebody has begun to fill in, see
// morph.js. The page says what an expiry or time zone means as soon as it is
// chosen.
document.addEventListener('input', (event) => {
  const form = event.target.closest('form[data-keep]');
  if (form) form.dataset.dirty = '';
});
document.addEventListener('reset', (event) => {
  delete event.target.dataset.dirty;
  setTimeout(updateZoneNotes);
});

// showExpiry asks the server when a key or token would expire.
let lastRequest = 0;
async function showExpiry(place) {
  const request = ++lastRequest;
  const query = new URLSearchParams();
  for (const field of place.querySelectorAll('[name]')) {
    if (field.type !== 'radio' || field.checked) query.set(field.name, field.value);
  }
  try {
    const response = await fetch('/expiry?' + query, { credentials: 'same-origin' });
    const words = await response.text();
    if (response.ok && request === lastRequest) place.querySelector('[data-expiry-words]').textContent = words;
  } catch { /* the answer to the form says it as well */ }
}

// offset returns the present offset of a time zone; '' for an unknown zone.
function offset(zone) {
  try {
    return new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeZoneName: 'longOffset' }).formatToParts().find((part) => part.type === 'timeZoneName').value;
  } catch {
    return '';
  }
}

function showZoneNote(note) {
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
    showExpiry(expiry);
  }
  if (event.target.id === 'timezone') document.querySelectorAll('[data-zone-note]').forEach(showZoneNote);
});

function updateZoneNotes() {
  document.querySelectorAll('[data-zone-note]').forEach(showZoneNote);
}
document.addEventListener('swapped', updateZoneNotes);
updateZoneNotes();
