import { stored } from './dialog.js';

// The text of a new token as a file, and a long list of operations cut down to
// what is chosen.
document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-download]');
  if (!button) return;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([document.getElementById(button.dataset.download).textContent + '\n'], { type: 'text/plain' }));
  link.download = button.dataset.name;
  link.click();
  URL.revokeObjectURL(link.href);
  stored(button);
});

document.addEventListener('change', (event) => {
  if (event.target.matches('[data-only-checked]')) event.target.closest('fieldset').classList.toggle('only-checked', event.target.checked);
});
