// morph makes one element equal to another and changes only the differences, so
// that focus, selection, scroll position and open menus are kept. hold returns
// whether the rows of a list must stay in their places.
export function morph(from, to, hold) {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) {
    from.replaceWith(document.importNode(to, true));
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  // Unsent input is kept.
  if ('dirty' in from.dataset) return;
  if (from.matches('tr[data-version]') && from.dataset.version !== to.dataset.version) highlight(from);
  if (from.hasAttribute('data-list') && hold(from, to)) return keepRows(from, to);
  morphAttributes(from, to);
  morphChildren(from, to, hold);
  morphFields(from, to);
}

function morphAttributes(from, to) {
  for (const { name, value } of [...to.attributes]) {
    if (from.getAttribute(name) !== value && !isKept(from, name)) from.setAttribute(name, value);
  }
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !isKept(from, name)) from.removeAttribute(name);
  }
}

// isKept returns whether an attribute belongs to the browser: open elements stay
// open, and what scripts have set stays.
function isKept(element, name) {
  if (name === 'open') return element.matches('details, dialog');
  if (name === 'class') return element.matches('tr.changed, li.changed');
  return name === 'hidden' && element.matches('.news, .options li');
}

function morphFields(from, to) {
  if (from === document.activeElement || from.matches('[data-narrow], [form=choice], [data-choose-all]')) return;
  if (from.matches('input')) {
    from.checked = to.hasAttribute('checked');
    if (!from.matches('[type=checkbox], [type=radio]')) from.value = to.getAttribute('value') ?? '';
  } else if (from.matches('option')) {
    from.selected = to.hasAttribute('selected');
  }
}

// Children with an id are matched by it, and may move. The others are matched
// in order.
function morphChildren(from, to, hold) {
  const named = new Map([...from.children].filter((c) => c.id).map((c) => [c.id, c]));
  // New entries of a log are highlighted. The entries of another page are not
  // new.
  const arriving = from.matches('.log [data-list], .flow') && [...to.children].some((c) => named.has(c.id));
  let next = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const match = wanted.id ? named.get(wanted.id) : next && !next.id ? next : null;
    if (!match) {
      const fresh = from.insertBefore(document.importNode(wanted, true), next);
      if (arriving && wanted.id) highlight(fresh);
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

// keepRows updates the rows in their places and marks those that are not listed
// any more. A notice above the table says how many are new.
function keepRows(from, to) {
  const wanted = new Map([...to.rows].filter((r) => !r.matches('.day')).map((r) => [r.id, r]));
  for (const row of from.rows) {
    const match = wanted.get(row.id);
    // An entry that is missing from the log has only moved to the next page.
    row.classList.toggle('gone', !match && !from.closest('.log'));
    if (match) morph(row, match, () => false);
    wanted.delete(row.id);
  }
  // The list may have more new rows than fit on the page.
  showNotice(from, Math.max(wanted.size, to.dataset.total - from.dataset.total || 0));
}

function showNotice(list, fresh) {
  const news = document.getElementById('news');
  if (!news) return;
  const entries = list.closest('.log');
  document.getElementById('news-text').textContent = !fresh ? 'The list has changed.'
    : `${fresh} new ${entries ? (fresh === 1 ? 'entry' : 'entries') : (fresh === 1 ? 'row' : 'rows')}.`;
  news.hidden = false;
}

function highlight(row) {
  row.classList.add('changed');
  row.addEventListener('animationend', () => row.classList.remove('changed'), { once: true });
}
