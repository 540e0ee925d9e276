// Toasts in the corner of the screen, and the list of all toasts in this tab.
const showTime = 6000; // ms: how long an ordinary toast is shown
const longShowTime = 15000; // ms: how long an important toast is shown
const importantWeight = 2; // weight from which on a toast is important, see toast.go
const maxShown = 3; // largest number of toasts that are shown
const maxKept = 50;
const storageKey = 'trento-news';

function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  svg.appendChild(document.createElementNS(svg.namespaceURI, 'use')).setAttribute('href', '#i-' + name);
  return svg;
}

function line(tag, news) {
  const item = document.createElement(tag);
  const shape = document.createElement('span');
  shape.className = 'severity ' + news.severity;
  shape.append(icon(news.severity));
  const text = document.createElement(news.url ? 'a' : 'span');
  if (news.url) text.href = news.url;
  text.textContent = news.text;
  item.append(shape, text);
  return item;
}

export function toast(news) {
  const item = line('div', news);
  item.classList.add('toast');
  item.dataset.weight = news.weight ?? importantWeight;
  appear(item);
  if (news.at) remember(news);
}

const weight = (item) => Number(item.dataset.weight ?? importantWeight);

// appear shows a toast. Screen readers announce it, because it is added to the
// page. If there are too many, the least important goes; of equally important
// ones, the oldest.
function appear(item) {
  const place = document.getElementById('toasts');
  place.append(item);
  while (place.childElementCount > maxShown) [...place.children].reduce((a, b) => (weight(b) < weight(a) ? b : a)).remove();
  const leave = () => (item.matches(':hover, :focus-within') ? setTimeout(leave, 1000) : item.remove());
  setTimeout(leave, weight(item) < importantWeight ? showTime : longShowTime);
}

// Toasts that are part of the page are about what the reader has just done.
for (const item of document.querySelectorAll('#toasts > .toast')) appear(item);

const remembered = () => JSON.parse(sessionStorage.getItem(storageKey) ?? '[]');

// limit drops the least important of too many toasts; of equally important
// ones, the oldest.
function limit(all) {
  while (all.length > maxKept) {
    const lightest = all.reduce((a, b) => ((b.weight ?? importantWeight) <= (a.weight ?? importantWeight) ? b : a));
    all.splice(all.indexOf(lightest), 1);
  }
  return all;
}

function remember(news) {
  sessionStorage.setItem(storageKey, JSON.stringify(limit([news, ...remembered()])));
  const count = document.getElementById('notices-count');
  count.textContent = Number(count.textContent) + 1;
  count.hidden = document.getElementById('notices').open;
  list();
}

function list() {
  const all = remembered();
  document.getElementById('notices-none').hidden = all.length > 0;
  document.getElementById('notices-list').replaceChildren(...all.map((news) => {
    const item = line('li', news);
    const time = document.createElement('time');
    time.dateTime = news.at;
    time.className = 'meta';
    time.textContent = news.time;
    item.append(time);
    return item;
  }));
}

const notices = document.getElementById('notices');
if (notices) {
  list();
  notices.addEventListener('toggle', () => {
    document.getElementById('notices-count').textContent = '';
    document.getElementById('notices-count').hidden = true;
  });
}
