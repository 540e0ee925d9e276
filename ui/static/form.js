// Forms that somebody has begun to fill in are left alone by live updates, see
// morph.js. Dates and zones are worked out while they are chosen.
document.addEventListener('input', (event) => {
  const form = event.target.closest('form[data-keep]');
  if (form) form.dataset.dirty = '';
});
document.addEventListener('reset', (event) => {
  delete event.target.dataset.dirty;
  setTimeout(settle);
});

// day is today in a time zone, as midnight UTC.
const day = (zone) => new Date(new Intl.DateTimeFormat('en-CA', { timeZone: zone }).format(new Date()) + 'T00:00Z');

// later is the rule of the server, see expiry.go.
function later(from, count, unit) {
  const to = new Date(from);
  if (unit === 'days') to.setUTCDate(to.getUTCDate() + count);
  else {
    to.setUTCMonth(to.getUTCMonth() + count * (unit === 'years' ? 12 : 1));
    if (to.getUTCDate() !== from.getUTCDate()) to.setUTCDate(0);
  }
  return to;
}

function sayExpiry(place) {
  const value = (name) => place.querySelector(`[name=${name}]`)?.value;
  const count = Number(value('number'));
  const chosen = place.querySelector('[name=expiry]:checked')?.value;
  const words = place.querySelector('[data-expiry-words]');
  if (chosen === 'never') words.textContent = 'It will never expire. ';
  else if (chosen !== 'in' || !(count > 0)) words.textContent = '';
  else {
    const end = later(day(place.dataset.zone), count, value('unit'));
    words.textContent = isNaN(end) ? '' : `It will expire on ${end.toLocaleDateString('en-GB', { day: '2-digit', month: 'short', year: 'numeric', timeZone: 'UTC' })}. `;
  }
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
  document.querySelectorAll('[data-expiry]').forEach(sayExpiry);
  document.querySelectorAll('[data-zone-note]').forEach(sayZone);
}
document.addEventListener('swapped', settle);
settle();
