// "2 h ago" stays true while a page stays open. The words are those of the
// server, see timestamp.go.
const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

function span(seconds) {
  if (seconds < minute) return `${seconds} s`;
  if (seconds < hour) return `${Math.floor(seconds / minute)} min`;
  if (seconds < day) return `${Math.floor(seconds / hour)} h`;
  const days = Math.floor(seconds / day);
  return days === 1 ? '1 day' : `${days} days`;
}

export function ago(time) {
  const age = Math.floor((Date.now() - Date.parse(time)) / 1000);
  return age < 0 ? 'in ' + span(-age) : age < minute ? 'just now' : span(age) + ' ago';
}

function update() {
  for (const element of document.querySelectorAll('[data-since]')) {
    const words = ago(element.dataset.since);
    if (element.textContent !== words) element.textContent = words;
  }
}
setInterval(update, 20000);
// What the server left out of a page has the words of an earlier one.
document.addEventListener('swapped', update);
