// The event stream of a tab. An event only says what has changed; then the page
// is fetched again. A hidden tab has no stream, because browsers allow few
// connections to a server. When it is shown again, it catches up.
import { frame, refresh, signIn, swap } from './swap.js';
import { toast } from './toast.js';

const eventDelay = 250; // ms: several events within this time cause one request
const countDelay = 10000; // ms: for changes that only the numbers in the sidebar show
const counted = ['host', 'cluster', 'database', 'sap_system'];
const agePeriod = 60000; // ms: period in which the ages on a page are updated
const retryDelay = 5000; // ms: pause after the server has refused a stream
let source = null;
let missed = false;
let timer = 0;
let due = Infinity;
let ticker = 0;

function showState(state, word) {
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

// isShown returns whether the page shows something that has changed.
function isShown(changes) {
  return frame().dataset.live.split(' ').some((wish) => {
    const [kind, id] = wish.split(':');
    const ids = changes[kind] ?? [];
    return id ? ids.includes(id) || ids.includes('*') : ids.length > 0;
  });
}

function connect() {
  if (source || document.hidden || !frame()) return;
  source = new EventSource(frame().dataset.events ?? '/events?after=' + frame().dataset.cursor);
  source.onopen = () => {
    showState('live', 'Live');
    if (missed) schedule(0);
    missed = false;
  };
  source.onerror = () => {
    showState('lost', 'Reconnecting');
    missed = true;
    if (source?.readyState !== EventSource.CLOSED) return;
    // The stream was refused and not interrupted, or the page is being left. If
    // the page still exists after the pause, a fetch shows whether the session
    // has ended.
    disconnect();
    setTimeout(() => refresh({ live: true }).then(connect), retryDelay);
  };
  source.addEventListener('change', (event) => {
    const changes = JSON.parse(event.data);
    if (isShown(changes) || changes.self) schedule(eventDelay);
    else if (counted.some((kind) => changes[kind])) schedule(countDelay);
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

// The age of a time on the page changes even if nothing happens.
setInterval(() => document.hidden || !frame()?.dataset.live || !frame().querySelector('.ago') || schedule(0), agePeriod);

// Refreshes at the interval that the reader has chosen for the activity log.
function startTicker() {
  clearInterval(ticker);
  const seconds = Number(frame()?.dataset.refresh ?? 0);
  if (seconds) ticker = setInterval(() => document.hidden || document.querySelector('dialog:modal') || swap(location.href, { live: Boolean(frame().dataset.events) }), seconds * 1000);
}
document.addEventListener('swapped', startTicker);
startTicker();
connect();
