// The box of a group of checks shows whether all, some or none of them are
// selected, and selects all or none.
const boxes = (group) => [...group.querySelectorAll('input[name=check]')];

function mark() {
  for (const group of document.querySelectorAll('[data-check-group]')) {
    const all = group.querySelector('[data-check-all]');
    const chosen = boxes(group).filter((box) => box.checked).length;
    all.checked = chosen === boxes(group).length;
    all.indeterminate = chosen > 0 && !all.checked;
  }
}

document.addEventListener('change', (event) => {
  const group = event.target.closest('[data-check-group]');
  if (!group) return;
  if (event.target.matches('[data-check-all]')) for (const box of boxes(group)) box.checked = event.target.checked;
  mark();
});
document.addEventListener('swapped', mark);
mark();
