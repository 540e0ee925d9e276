// Menus are <details>. One is open at a time. It is closed by Escape, by a
// click elsewhere, and by moving the focus out of it.
let pressedPath = null; // elements under the pointer when it was pressed; null if it is not pressed

const openMenus = () => document.querySelectorAll('details.menu[open]');

// A press moves the focus to the nearest element that can have it, often
// <main>. A menu that closes at the press would move what is being clicked. So
// menus wait for the click.
document.addEventListener('pointerdown', (event) => { pressedPath = event.composedPath(); }, true);
for (const end of ['click', 'pointercancel']) addEventListener(end, () => { pressedPath = null; });

document.addEventListener('click', (event) => {
  // The clicked element may be removed by now, and a selection of text may end
  // outside the menu in which it began. So the path of the press counts as
  // well.
  const path = [...event.composedPath(), ...(pressedPath ?? [])];
  const dismissed = event.target.closest?.('a, [data-open]');
  for (const menu of openMenus()) {
    if (!dismissed && path.includes(menu)) continue;
    if (dismissed && event.detail === 0 && menu.contains(document.activeElement)) focusAfterKey(menu.querySelector('summary'));
    menu.open = false;
  }
});

// focusAfterKey focuses the summary of a menu whose link was followed with a key
// and stays on the page: the focus would vanish with the link. It waits until the
// key is released, because the press would open the menu again.
function focusAfterKey(summary) {
  addEventListener('keyup', () => {
    const focused = document.activeElement;
    if (focused === document.body || summary.parentElement.contains(focused)) summary.focus();
  }, { once: true });
}

document.addEventListener('focusin', (event) => {
  if (pressedPath) return;
  for (const menu of openMenus()) {
    if (!menu.contains(event.target) && !event.target.contains(menu)) menu.open = false;
  }
});

document.addEventListener('keydown', (event) => {
  pressedPath = null;
  if (event.key !== 'Escape' || document.querySelector('dialog:modal')) return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector('summary').focus();
    event.preventDefault();
  }
});
