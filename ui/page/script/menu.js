// Menus are <details>: one at a time, closed by Escape, by a click elsewhere,
// and by going to another control with the keyboard.
let press = null; // what the pressed pointer went down on

const openMenus = () => document.querySelectorAll('details.menu[open]');

// A press moves the focus to whatever around it can hold one, <main> for most
// of the page. What was meant shows with the click, so nothing changes its
// place or goes before that.
document.addEventListener('pointerdown', (event) => { press = event.composedPath(); }, true);
for (const end of ['click', 'pointercancel']) addEventListener(end, () => { press = null; });

document.addEventListener('click', (event) => {
  // What was clicked may have left the page by now, and a text that is
  // selected may end outside of where it began.
  const path = [...event.composedPath(), ...(press ?? [])];
  const dismissed = event.target.closest?.('a, [data-open]');
  for (const menu of openMenus()) if (dismissed || !path.includes(menu)) menu.open = false;
});

document.addEventListener('focusin', (event) => {
  if (press) return;
  for (const menu of openMenus()) {
    if (!menu.contains(event.target) && !event.target.contains(menu)) menu.open = false;
  }
});

document.addEventListener('keydown', (event) => {
  press = null;
  if (event.key !== 'Escape' || document.querySelector('dialog:modal')) return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector('summary').focus();
    event.preventDefault();
  }
});
