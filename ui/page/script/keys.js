// Keys: / searches everywhere, f finds in the list, g and a letter goes somewhere, ? lists them, arrows walk
// through the rows of a table.
const patience = 1200; // ms between g and the letter
const store = 'trento-heading'; // says that somebody has gone to a page by keys
let going = 0;

const typingIn = (element) => element.matches('input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]');

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const target = event.target;
  if (typingIn(target)) {
    if (event.key === 'ArrowDown' && target.matches('[data-find]')) walk(event, document.querySelector('table.rows tbody tr'));
    return;
  }
  if (document.querySelector('dialog:modal')) return;
  if (Date.now() - going < patience) {
    going = 0;
    const link = document.querySelector(`.sidebar a[data-key="${CSS.escape(event.key)}"]`);
    if (link) {
      event.preventDefault();
      sessionStorage.setItem(store, link.pathname);
      location.assign(link.href);
    }
    return;
  }
  const row = target.closest('table.rows tbody tr');
  switch (event.key) {
    case 'g':
      going = Date.now();
      break;
    case '/':
      focusField(event, '[data-everywhere]');
      break;
    case 'f':
      focusField(event, '[data-find]');
      break;
    case '?':
      event.preventDefault();
      document.getElementById('keys')?.showModal();
      break;
    case 'ArrowDown':
      if (row) walk(event, row.nextElementSibling);
      break;
    case 'ArrowUp':
      if (row) walk(event, row.previousElementSibling);
      break;
    case 'Home':
      if (row) walk(event, row.parentElement.firstElementChild);
      break;
    case 'End':
      if (row) walk(event, row.parentElement.lastElementChild);
      break;
  }
});

function focusField(event, which) {
  const field = [...document.querySelectorAll(which)].find((f) => f.checkVisibility());
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
}

// walk goes to the thing a row is about.
function walk(event, row) {
  const link = row?.querySelector('th a, td a');
  if (!link) return;
  event.preventDefault();
  link.focus();
}

// Whoever goes to a page by keys goes on at its heading.
if (sessionStorage.getItem(store) === location.pathname) {
  const heading = document.querySelector('main h1');
  heading?.setAttribute('tabindex', '-1');
  heading?.focus();
}
sessionStorage.removeItem(store);
