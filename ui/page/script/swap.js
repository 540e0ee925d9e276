// Fetching a page again, or another one like it, without leaving it.
import { morph } from './morph.js';

let newest = 0;

export const frame = () => document.getElementById('frame');

// The frame as the server sent it last, before hands and scripts have changed
// it. The server leaves out of its next answer what is in here already.
let snapshot = frame()?.cloneNode(true);

// complete puts what was left out of a frame back in its place, and reports
// whether all of it was there.
function complete(fresh) {
  const known = new Map([...snapshot?.querySelectorAll('[id]') ?? []].map((e) => [e.id, e]));
  for (const place of fresh.querySelectorAll('[data-unchanged]')) {
    if (!known.has(place.id)) return false;
    place.replaceWith(known.get(place.id));
  }
  return true;
}

// Whoever signs out goes where the answer to the form leads, which can be further
// than the sign-in page.
let signingOut = false;
document.addEventListener('submit', (event) => {
  if (event.target.matches('[action="/session/end"]')) signingOut = true;
});
addEventListener('pageshow', () => { signingOut = false; });

export function signIn() {
  if (!signingOut) location.assign('/session/new?request_path=' + encodeURIComponent(location.pathname + location.search));
}

// A click goes to what was pressed, if that is still there when the pointer is
// released. So nothing changes in between. Other buttons open menus of the
// browser, which keep the release to themselves.
let released = null; // settles when the pointer that is pressed is released
let release;
addEventListener('pointerdown', (event) => {
  if (event.button === 0) released ??= new Promise((done) => { release = done; });
}, true);
for (const end of ['pointerup', 'pointercancel', 'contextmenu']) {
  addEventListener(end, () => setTimeout(() => { // the click comes first
    released = null;
    release?.();
  }), true);
}

let going = null; // settles when the address somebody has asked for is shown

// swap shows what is at the address. how.history is 'push', 'replace' or
// nothing for the page that is shown; how.live says that nobody has asked for
// it, so that rows under somebody's hands stay where they are, and an idle
// session may end. On the way to another address the page that is left is not
// fetched again: its answer would take the place of the one somebody waits for.
export function swap(url, how = {}) {
  if (!how.history) return going ? going.then(() => refresh(how)) : load(url, how);
  const mine = load(url, how).finally(() => {
    if (going === mine) going = null;
  });
  going = mine;
  return mine;
}

async function load(url, how) {
  const mine = ++newest;
  const fragment = snapshot?.dataset.snapshot ? `frame; snapshot=${snapshot.dataset.snapshot}` : 'frame';
  let response;
  let text;
  try {
    const headers = { 'X-Fragment': fragment, ...(how.live && { 'X-Unattended': 'true' }) };
    response = await fetch(url, { headers, credentials: 'same-origin' });
    text = await response.text();
    await released;
  } catch {
    if (how.history) location.assign(url);
    return;
  }
  if (response.status === 401) return signIn();
  if (mine !== newest || response.status >= 500 || !frame()) return;
  const fresh = new DOMParser().parseFromString(text, 'text/html').getElementById('frame');
  if (!fresh) return;
  if (!complete(fresh)) {
    snapshot = null;
    return load(url, how);
  }
  snapshot = fresh;
  const address = response.redirected ? response.url : url;
  if (how.history === 'push') history.pushState(null, '', address);
  if (how.history === 'replace' || (how.history && response.redirected)) history.replaceState(null, '', address);
  const held = how.live ? hold : () => false;
  const news = document.getElementById('news');
  if (news) news.hidden = true; // held rows say so again
  const focused = document.activeElement;
  morph(frame(), fresh, held);
  document.title = fresh.dataset.title;
  if (!focused.isConnected) document.getElementById('main').focus({ preventScroll: true });
  document.dispatchEvent(new Event('swapped'));
}

export const refresh = (how) => swap(location.href, how);

// hold keeps rows in their places if they have changed theirs while somebody
// points at them, has gone into them, or has scrolled into the middle of them.
function hold(from, to) {
  const order = (list) => [...list.rows].map((r) => r.id).join(' ');
  if (order(from) === order(to)) return false;
  const touched = from.matches(':hover, :focus-within') || from.getBoundingClientRect().top < 0;
  if (touched) from.addEventListener('pointerleave', () => refresh({ live: true }), { once: true });
  return touched || Boolean(from.closest('[data-announce]'));
}

document.addEventListener('click', (event) => {
  const link = event.target.closest('a[data-swap], a[data-entry], [data-refresh-now]');
  if (!link || !frame() || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  if (link.matches('[data-refresh-now]')) refresh();
  else swap(link.href, { history: link.matches('[data-entry]') ? 'push' : 'replace' });
});

addEventListener('popstate', () => refresh());
