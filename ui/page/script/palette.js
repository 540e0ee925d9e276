// The palette: a box that finds things, pages, and what the reader can do. The
// server answers with the options of the list; the focus stays in the box.
import { signIn } from './swap.js';

const palette = document.getElementById('palette');
const box = palette?.querySelector('input');
const list = palette?.querySelector('[role=listbox]');
const status = palette?.querySelector('[role=status]');
const typingPause = 60; // ms without a key after which the server is asked
const storageKey = 'trento-recent';
const maxRecent = 8;
const isThing = /^\/(hosts|clusters|databases|sap_systems)\/[^/]+$/;

// What the reader has opened last is kept by this tab alone, as addresses: the
// names come from the server, so that they are as new and as permitted as all
// others. Nothing is kept after signing out, or for another reader.
function recentPaths() {
  const kept = JSON.parse(sessionStorage.getItem(storageKey));
  return kept?.reader === palette.dataset.reader ? kept.paths : [];
}
const forgetRecent = () => sessionStorage.removeItem(storageKey);

function rememberThing() {
  if (!palette) return forgetRecent();
  const path = location.pathname;
  if (!isThing.test(path)) return;
  const paths = [path, ...recentPaths().filter((p) => p !== path)].slice(0, maxRecent);
  sessionStorage.setItem(storageKey, JSON.stringify({ reader: palette.dataset.reader, paths }));
}
document.addEventListener('submit', (event) => {
  if (event.target.matches('[action="/session/end"]')) forgetRecent();
});
document.addEventListener('swapped', rememberThing);
rememberThing();

let asking = new AbortController(); // of the newest request
let answered; // promise that is fulfilled when the list fits what is typed

function ask(pause) {
  asking.abort();
  asking = new AbortController();
  answered = load(asking.signal, pause);
}

async function load(signal, pause) {
  await new Promise((done) => setTimeout(done, pause));
  const words = box.value.trim();
  const query = new URLSearchParams({ q: words });
  if (!words) for (const path of recentPaths()) if (path !== location.pathname) query.append('recent', path);
  let options = [];
  let failure = 'The server cannot be reached.';
  try {
    const response = await fetch('/palette?' + query, { signal, credentials: 'same-origin' });
    const text = await response.text();
    if (response.status === 401) return signIn();
    if (response.ok) options = new DOMParser().parseFromString(text, 'text/html').body.children;
    else failure = response.status === 429 ? 'Too many searches. Type again in a moment.' : 'The server could not search.';
  } catch { /* shown below, unless another request has replaced this one */ }
  if (signal.aborted) return;
  list.replaceChildren(...options);
  const count = list.querySelectorAll('[role=option]').length;
  status.textContent = count ? `${count} to choose from` : failure;
  choose(list.querySelector('[role=option]'));
}

const chosen = () => list.querySelector('[aria-selected=true]');

function choose(option) {
  chosen()?.setAttribute('aria-selected', 'false');
  option?.setAttribute('aria-selected', 'true');
  option?.scrollIntoView({ block: 'nearest' });
  box.setAttribute('aria-activedescendant', option?.id ?? '');
}

// follow opens what is chosen, as soon as the list fits what is typed.
async function follow(inNewTab) {
  const request = asking;
  await answered;
  if (request !== asking) return;
  const option = chosen();
  if (inNewTab && option?.href) open(option.href, '_blank', 'noopener');
  else option?.click();
}

// openPalette opens the palette, or closes it where it is open.
export function openPalette(event) {
  if (!palette || document.querySelector('dialog:modal:not(#palette)')) return;
  event.preventDefault();
  if (palette.open) return palette.close();
  box.value = '';
  list.replaceChildren();
  palette.showModal();
  ask(0);
}
document.addEventListener('click', (event) => {
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (plain && event.target.closest('[data-palette]')) openPalette(event);
  if (plain && event.target.closest('#palette [role=option]')) palette.close();
}, true);

box?.addEventListener('input', () => ask(typingPause));
box?.addEventListener('keydown', (event) => {
  if (event.isComposing || event.shiftKey || event.altKey) return;
  if (event.key === 'Enter') {
    event.preventDefault();
    follow(event.ctrlKey || event.metaKey);
    return;
  }
  const options = [...list.querySelectorAll('[role=option]')];
  const at = options.indexOf(chosen());
  const to = { ArrowDown: (at + 1) % options.length, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
  if (to === undefined || !options.length) return;
  event.preventDefault();
  choose(options.at(to));
});
list?.addEventListener('pointermove', (event) => {
  const option = event.target.closest('[role=option]');
  if (option && option !== chosen()) choose(option);
});
