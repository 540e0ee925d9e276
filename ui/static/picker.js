// Choosing what a user may do: whole groups at once, kinds of users, and what
// the change comes to, before it is sent. The words are those of the server,
// see picker.go.
const pickers = () => document.querySelectorAll('[data-picker]');
const boxes = (picker) => [...picker.querySelectorAll('input[name=ability]')];
const members = (picker, group) => boxes(picker).filter((box) => box.dataset.of === group);

function words(all, chosen) {
  if (chosen.length === all.length) return 'all of it';
  if (!chosen.length) return 'none of it';
  const missing = all.filter((box) => !box.checked).map((box) => box.dataset.name);
  return `${chosen.length} of ${all.length}, without ${missing.join(', ')}`;
}

// names of what is chosen or not against what was held: a group that comes or
// goes as a whole goes by its own name.
function names(picker, differs) {
  const list = boxes(picker).filter((box) => !box.dataset.of && differs(box)).map((box) => box.dataset.name);
  for (const { dataset: { group } } of picker.querySelectorAll('[data-group]')) {
    const all = members(picker, group);
    const some = all.filter(differs);
    if (some.length === all.length) list.push(group);
    else list.push(...some.map((box) => box.dataset.name));
  }
  return list.sort();
}

function say(picker, part, list) {
  const place = picker.querySelector(`[data-${part}]`);
  place.hidden = !list.length;
  place.querySelector('dd').textContent = list.join(', ');
}

function show(picker) {
  for (const item of picker.querySelectorAll('[data-group]')) {
    const all = members(picker, item.dataset.group);
    const chosen = all.filter((box) => box.checked);
    const box = item.querySelector('input');
    box.checked = chosen.length === all.length;
    box.indeterminate = chosen.length > 0 && chosen.length < all.length;
    item.querySelector('[data-words]').textContent = words(all, chosen);
  }
  const held = picker.dataset.held.split(',');
  const added = names(picker, (box) => box.checked && !held.includes(box.value));
  const removed = names(picker, (box) => !box.checked && held.includes(box.value));
  say(picker, 'added', added);
  say(picker, 'removed', removed);
  picker.querySelector('[data-difference]').hidden = !added.length && !removed.length;
  const ids = boxes(picker).filter((box) => box.checked).map((box) => Number(box.value)).sort((a, b) => a - b).join(',');
  // What the reader has seen here need not be asked again.
  picker.querySelector('[data-reviewed]').value = ids || 'none';
  for (const preset of picker.querySelectorAll('[data-abilities]')) preset.setAttribute('aria-pressed', preset.dataset.abilities === ids);
}

document.addEventListener('change', (event) => {
  const picker = event.target.closest('[data-picker]');
  if (!picker) return;
  if (event.target.matches('[data-choose-group]')) {
    for (const box of members(picker, event.target.closest('[data-group]').dataset.group)) box.checked = event.target.checked;
  }
  show(picker);
});

document.addEventListener('click', (event) => {
  const preset = event.target.closest('[data-abilities]');
  if (!preset) return;
  event.preventDefault();
  const picker = preset.closest('[data-picker]');
  const ids = preset.dataset.abilities.split(',');
  for (const box of boxes(picker)) box.checked = ids.includes(box.value);
  preset.form.dataset.dirty = '';
  show(picker);
});

const settle = () => pickers().forEach(show);
document.addEventListener('swapped', settle);
settle();
