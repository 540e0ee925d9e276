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
  if (from.hasAttribute('data-list') && hold(from, to)) return keepRows(from, to);
  attributes(from, to);
  children(from, to, hold);
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
  if (name === 'class') return element.matches('tr.changed, li.changed');
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
  // Entries that arrive in a log are shown to be new; those of another page are not.
  const arriving = from.matches('.log [data-list], .flow') && [...to.children].some((c) => named.has(c.id));
  let next = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const match = wanted.id ? named.get(wanted.id) : next && !next.id ? next : null;
    if (!match) {
      const fresh = from.insertBefore(document.importNode(wanted, true), next);
      if (arriving && wanted.id) tint(fresh);
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
    row.classList.toggle('gone', !match && !from.closest('.log'));
    if (match) morph(row, match, () => false);
    wanted.delete(row.id);
  }
  // What the list holds by now may be more than a page of it.
  announce(from, Math.max(wanted.size, to.dataset.total - from.dataset.total || 0));
}

function announce(list, fresh) {
  const news = document.getElementById('news');
  if (!news) return;
  const entries = list.closest('.log');
  document.getElementById('news-text').textContent = !fresh ? 'The list has changed.'
    : `${fresh} new ${entries ? (fresh === 1 ? 'entry' : 'entries') : (fresh === 1 ? 'row' : 'rows')}.`;
  news.hidden = false;
}

function tint(row) {
  row.classList.add('changed');
  row.addEventListener('animationend', () => row.classList.remove('changed'), { once: true });
}
