// The one stream of a tab. An event only says what has changed; the page is
// then fetched again. A tab nobody looks at holds no stream: browsers allow
// few connections to a server, and it catches up when it is shown.
import { frame, refresh, signIn, swap } from './swap.js';
import { toast } from './toast.js';

const soon = 250; // ms: lets a few events become one request
const later = 10000; // ms: for what only the numbers in the sidebar show
const counted = ['host', 'cluster', 'database', 'sap_system'];
const minute = 60000; // ms: how often ages are brought up to date
const retry = 5000; // ms: after the server has refused a stream
let source = null;
let missed = false;
let timer = 0;
let due = Infinity;
let ticker = 0;

function mark(state, word) {
  const live = document.getElementById('live');
  if (!live || live.dataset.state === state) return;
  live.dataset.state = state;
  live.querySelector('.live-word').textContent = word;
}

function schedule(delay) {
  const at = Date.now() + delay;
  if (at >= due) return;
  due = at;
  clearTimeout(timer);
  timer = setTimeout(() => {
    due = Infinity;
    refresh({ live: true });
  }, delay);
}

// concerns tells whether the page shows something of what has changed.
function concerns(changes) {
  return frame().dataset.live.split(' ').some((wish) => {
    const [kind, id] = wish.split(':');
    const ids = changes[kind] ?? [];
    return id ? ids.includes(id) || ids.includes('*') : ids.length > 0;
  });
}

function connect() {
  if (source || document.hidden || !frame()) return;
  source = new EventSource('/events?after=' + frame().dataset.cursor);
  source.onopen = () => {
    mark('live', 'Live');
    if (missed) schedule(0);
    missed = false;
  };
  source.onerror = () => {
    mark('lost', 'Reconnecting');
    missed = true;
    if (source?.readyState !== EventSource.CLOSED) return;
    // Refused rather than cut, or the page is being left. If it is still there
    // in a while, fetching it tells whether the session is over.
    disconnect();
    setTimeout(() => refresh({ live: true }).then(connect), retry);
  };
  source.addEventListener('change', (event) => {
    const changes = JSON.parse(event.data);
    if (concerns(changes) || changes.self) schedule(soon);
    else if (counted.some((kind) => changes[kind])) schedule(later);
  });
  source.addEventListener('toast', (event) => toast(JSON.parse(event.data)));
  source.addEventListener('signed-out', signIn);
}

function disconnect() {
  source?.close();
  source = null;
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) return disconnect();
  missed = true;
  connect();
});
addEventListener('pagehide', disconnect);
addEventListener('pageshow', (event) => {
  if (!event.persisted) return;
  missed = true;
  connect();
});

// How long ago something was changes though nothing happens.
setInterval(() => document.hidden || !frame()?.dataset.live || !frame().querySelector('.ago') || schedule(0), minute);

// The interval the reader has chosen for the activity log.
function tick() {
  clearInterval(ticker);
  const seconds = Number(frame()?.dataset.refresh ?? 0);
  if (seconds) ticker = setInterval(() => document.hidden || document.querySelector('dialog:modal') || swap(location.href), seconds * 1000);
}
document.addEventListener('swapped', tick);
tick();
connect();
