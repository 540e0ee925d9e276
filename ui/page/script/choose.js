// Choosing things in a table: all things of a page at once, and the number of
// chosen ones. A choice survives updates of the page, see morph.js.
const boxes = () => [...document.querySelectorAll('input[form=choice]:not(:disabled, [aria-disabled=true])')];

// showCount shows how many things are chosen, and enables the buttons for
// them.
function showCount() {
  const place = document.getElementById('chosen');
  if (!place) return;
  const all = boxes();
  const chosen = all.filter((box) => box.checked).length;
  place.textContent = chosen ? `${chosen} chosen` : '';
  for (const button of document.querySelectorAll('#choice button:not([aria-disabled])')) button.disabled = !chosen;
  const head = document.querySelector('[data-choose-all]');
  head.checked = chosen > 0 && chosen === all.length;
  head.indeterminate = chosen > 0 && chosen < all.length;
}

let lastClicked = null; // box that was clicked last: the begin of a range

document.addEventListener('click', (event) => {
  const box = event.target;
  if (!box.matches('input[form=choice]')) return;
  const all = boxes();
  if (event.shiftKey && all.includes(lastClicked)) {
    const [from, to] = [all.indexOf(lastClicked), all.indexOf(box)].sort((a, b) => a - b);
    for (const between of all.slice(from, to + 1)) between.checked = box.checked;
    showCount();
  }
  lastClicked = box;
});

document.addEventListener('change', (event) => {
  if (event.target.matches('[data-choose-all]')) for (const box of boxes()) box.checked = event.target.checked;
  if (event.target.matches('[data-choose-all], input[form=choice]')) showCount();
});
document.addEventListener('swapped', showCount);
showCount();

// A control that is not permitted can still get the focus, so that its
// explanation can be read.
const refused = (event) => event.target.closest?.(':is(input, select)[aria-disabled=true]');
for (const kind of ['click', 'mousedown']) {
  document.addEventListener(kind, (event) => {
    const control = refused(event);
    if (!control) return;
    event.preventDefault();
    control.focus();
  }, true);
}
document.addEventListener('keydown', (event) => {
  if (refused(event) && event.key !== 'Tab') event.preventDefault();
}, true);
