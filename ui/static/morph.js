// morph makes one element equal to another and touches only what differs, so
// that focus, selection, scroll position and open menus survive. hold decides
// for a list of rows whether they may be moved about now.
export function morph(from, to, hold) {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) {
    from.replaceWith(document.importNode(to, true));
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  // What somebody has entered and not sent yet is theirs.
  if ('dirty' in from.dataset) return;
  if (from.matches('tr[data-version]') && from.dataset.version !== to.dataset.version) tint(from);
  attributes(from, to);
  if (from.hasAttribute('data-list') && hold(from, to)) keepRows(from, to);
  else children(from, to, hold);
  fields(from, to);
}

function attributes(from, to) {
  for (const { name, value } of [...to.attributes]) {
    if (from.getAttribute(name) !== value && !kept(from, name)) from.setAttribute(name, value);
  }
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !kept(from, name)) from.removeAttribute(name);
  }
}

// What is open stays open, and what the script has written stays written.
function kept(element, name) {
  if (name === 'open') return element.matches('details, dialog');
  if (name === 'class') return element.matches('tr.changed');
  return name === 'hidden' && element.matches('.news, .options li');
}

function fields(from, to) {
  if (from === document.activeElement || from.matches('[data-narrow], [form=choice], [data-choose-all]')) return;
  if (from.matches('input')) {
    from.checked = to.hasAttribute('checked');
    if (!from.matches('[type=checkbox], [type=radio]')) from.value = to.getAttribute('value') ?? '';
  } else if (from.matches('option')) {
    from.selected = to.hasAttribute('selected');
  }
}

// Children with an id keep their identity wherever they move; the others are
// matched in order.
function children(from, to, hold) {
  const named = new Map([...from.children].filter((c) => c.id).map((c) => [c.id, c]));
  let next = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const match = wanted.id ? named.get(wanted.id) : next && !next.id ? next : null;
    if (!match) {
      from.insertBefore(document.importNode(wanted, true), next);
      continue;
    }
    if (match === next) next = next.nextSibling;
    else from.insertBefore(match, next);
    morph(match, wanted, hold);
  }
  while (next) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
}

// keepRows brings the rows up to date where they are, marks those that are no
// longer listed, and says above the table what it left out.
function keepRows(from, to) {
  const wanted = new Map([...to.rows].map((r) => [r.id, r]));
  for (const row of from.rows) {
    const match = wanted.get(row.id);
    // An entry of the log does not go, it is only pushed to the next page.
    row.classList.toggle('gone', !match && !from.closest('[data-announce]'));
    if (match) morph(row, match, () => false);
    wanted.delete(row.id);
  }
  announce(from, wanted.size);
}

function announce(list, fresh) {
  const news = document.getElementById('news');
  if (!news) return;
  const entries = list.closest('[data-announce]');
  document.getElementById('news-text').textContent = !fresh ? 'The list has changed.'
    : `${fresh} new ${entries ? (fresh === 1 ? 'entry' : 'entries') : (fresh === 1 ? 'row' : 'rows')}.`;
  news.hidden = false;
}

function tint(row) {
  row.classList.add('changed');
  row.addEventListener('animationend', () => row.classList.remove('changed'), { once: true });
}
