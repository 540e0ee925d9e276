// Fetching the page again, or a similar one, and showing it without a new
// document.
import { morph } from './morph.js';

let lastRequest = 0;
let newest; // promise that is fulfilled when the answer to lastRequest is shown

export const frame = () => document.getElementById('frame');

// The frame as the server sent it last, without later changes by the reader or
// scripts. The server leaves elements of it out of its next answer.
let snapshot = frame()?.cloneNode(true);

// fillIn fills in the elements that the server has left out. It returns false
// if one of them is missing in the snapshot.
function fillIn(fresh) {
  const known = new Map([...snapshot?.querySelectorAll('[id]') ?? []].map((e) => [e.id, e]));
  for (const place of fresh.querySelectorAll('[data-unchanged]')) {
    if (!known.has(place.id)) return false;
    place.replaceWith(known.get(place.id));
  }
  return true;
}

// While signing out, the answer to the form decides where the browser goes.
// That may be the page of an identity provider.
let signingOut = false;
document.addEventListener('submit', (event) => {
  if (event.target.matches('[action="/session/end"]')) signingOut = true;
});
addEventListener('pageshow', () => { signingOut = false; });

export function signIn() {
  if (!signingOut) location.assign(frame()?.dataset.signIn ?? '/session/new?request_path=' + encodeURIComponent(location.pathname + location.search));
}

// A click needs the same element at the press and at the release of the
// pointer. So nothing is changed in between. Only the main button counts: the
// others open menus of the browser, and then no release is reported.
let released = null; // promise that is fulfilled when the pointer is released; null if it is not pressed
let release;
addEventListener('pointerdown', (event) => {
  if (event.button === 0) released ??= new Promise((done) => { release = done; });
}, true);
for (const end of ['pointerup', 'pointercancel', 'contextmenu']) {
  addEventListener(end, () => setTimeout(() => { // after the click
    released = null;
    release?.();
  }), true);
}

let navigation = null; // promise that is fulfilled when the page that the reader asked for is shown

// swap shows the page at an address. how.history is 'push', 'replace', or
// undefined for the page that is already shown. how.live marks an automatic
// update: it does not move rows that the reader is using, and does not keep an
// idle session alive. While another page is loading, the present one is not
// fetched again, because its answer could replace the other page.
export function swap(url, how = {}) {
  if (!how.history) return navigation ? navigation.then(() => refresh(how)) : newestOf(load(url, how));
  const request = newestOf(load(url, how)).finally(() => {
    if (navigation === request) navigation = null;
  });
  navigation = request;
  return request;
}

const newestOf = (loaded) => newest = loaded;

// load fetches a page and shows it. Where a newer request has overtaken it, it
// waits for that one, so that its caller finds what it has asked for shown.
async function load(url, how) {
  const request = ++lastRequest;
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
  if (request !== lastRequest) return newest;
  if (response.status >= 500 || !frame()) return;
  const fresh = new DOMParser().parseFromString(text, 'text/html').getElementById('frame');
  if (!fresh) return;
  if (!fillIn(fresh)) {
    snapshot = null;
    return newestOf(load(url, how));
  }
  snapshot = fresh;
  const address = response.redirected ? response.url : url;
  if (how.history === 'push') history.pushState(null, '', address);
  if (how.history === 'replace' || (how.history && response.redirected)) history.replaceState(null, '', address);
  const holdRows = how.live ? hold : () => false;
  const news = document.getElementById('news');
  if (news) news.hidden = true; // held rows show it again
  const focused = document.activeElement;
  morph(frame(), fresh, holdRows);
  document.title = fresh.dataset.title;
  if (!focused.isConnected) document.getElementById('main').focus({ preventScroll: true });
  document.dispatchEvent(new Event('swapped'));
}

export const refresh = (how) => swap(location.href, how);

// hold returns whether rows whose order has changed must stay in their places:
// somebody points at them, has the focus in them, or has scrolled down to them.
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
  else swap(link.href, { history: link.matches('[data-entry], [data-swap=push]') ? 'push' : 'replace' });
});

addEventListener('popstate', () => refresh());
