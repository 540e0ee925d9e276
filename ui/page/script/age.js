// "2 h ago" stays true while a page stays open. What it reads, and for how
// long, only the server knows: the script asks once that time is over.
const period = 20000; // ms between two looks
const most = 100; // times in one request
let known = new Map(); // by time: what it reads, and until when

// show writes what is known, and returns the times to ask about.
function show() {
  const now = Date.now();
  const shown = new Map();
  const due = new Set();
  for (const element of document.querySelectorAll('[data-since]')) {
    const time = element.dataset.since;
    // What is new comes from the server, and is as old as the page.
    const age = known.get(time) ?? { words: element.textContent, until: now + period };
    shown.set(time, age);
    if (element.textContent !== age.words) element.textContent = age.words;
    if ((age.until <= now || !age.words) && element.checkVisibility()) due.add(time);
  }
  known = shown;
  return [...due];
}

async function ask(times) {
  const query = new URLSearchParams(times.map((time) => ['since', time]));
  const response = await fetch('/ages?' + query, { headers: { 'X-Unattended': 'true' }, credentials: 'same-origin' });
  if (!response.ok) return;
  for (const [i, { words, seconds }] of (await response.json()).entries()) known.set(times[i], { words, until: Date.now() + seconds * 1000 });
}

export async function update() {
  if (document.hidden) return;
  const due = show();
  try {
    for (let i = 0; i < due.length; i += most) await ask(due.slice(i, i + most));
  } catch { /* the words stay as they are until the server answers */ }
  if (due.length) show();
}
setInterval(update, period);
// What the server left out of a page has the words of an earlier one.
document.addEventListener('swapped', update);
document.addEventListener('visibilitychange', update);
update();
