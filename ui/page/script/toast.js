// News in the corner of the screen, and the list of what was news in this tab.
const stay = 6000; // ms
const longer = 15000; // ms: for what somebody should look at
const heavy = 2; // how much that weighs, see toast.go
const shown = 3; // toasts at once
const kept = 50;
const store = 'trento-news';

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
  item.dataset.weight = news.weight ?? heavy;
  appear(item);
  if (news.at) remember(news);
}

const weight = (item) => Number(item.dataset.weight ?? heavy);

// appear shows a toast; it is read out, since it comes after the page. Of too
// many the lightest goes, of equals the oldest.
function appear(item) {
  const place = document.getElementById('toasts');
  place.append(item);
  while (place.childElementCount > shown) [...place.children].reduce((a, b) => (weight(b) < weight(a) ? b : a)).remove();
  const leave = () => (item.matches(':hover, :focus-within') ? setTimeout(leave, 1000) : item.remove());
  setTimeout(leave, weight(item) < heavy ? stay : longer);
}

// What the page itself came with was done right before it.
for (const item of document.querySelectorAll('#toasts > .toast')) appear(item);

const remembered = () => JSON.parse(sessionStorage.getItem(store) ?? '[]');

// keep drops the lightest of too many, of equals the oldest.
function keep(all) {
  while (all.length > kept) {
    const lightest = all.reduce((a, b) => ((b.weight ?? heavy) <= (a.weight ?? heavy) ? b : a));
    all.splice(all.indexOf(lightest), 1);
  }
  return all;
}

function remember(news) {
  sessionStorage.setItem(store, JSON.stringify(keep([news, ...remembered()])));
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
