// Selecting things in a table: all of a page at once, and how many there are.
// What is selected survives the updates of the page, see morph.js.
const boxes = () => [...document.querySelectorAll('input[form=choice]:not(:disabled, [aria-disabled=true])')];

// tell says how many are selected. What is done with them waits until there
// are some.
function tell() {
  const place = document.getElementById('chosen');
  if (!place) return;
  const all = boxes();
  const chosen = all.filter((box) => box.checked).length;
  place.textContent = chosen ? `${chosen} selected` : '';
  for (const button of document.querySelectorAll('#choice button')) button.disabled = !chosen;
  const head = document.querySelector('[data-choose-all]');
  head.checked = chosen > 0 && chosen === all.length;
  head.indeterminate = chosen > 0 && chosen < all.length;
}

let last = null; // box clicked last, for ranges

document.addEventListener('click', (event) => {
  const box = event.target;
  if (!box.matches('input[form=choice]')) return;
  const all = boxes();
  if (event.shiftKey && all.includes(last)) {
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    for (const between of all.slice(from, to + 1)) between.checked = box.checked;
    tell();
  }
  last = box;
});

document.addEventListener('change', (event) => {
  if (event.target.matches('[data-choose-all]')) for (const box of boxes()) box.checked = event.target.checked;
  if (event.target.matches('[data-choose-all], input[form=choice]')) tell();
});
document.addEventListener('swapped', tell);
tell();

// A control that cannot be used now can be reached all the same, to learn why.
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
