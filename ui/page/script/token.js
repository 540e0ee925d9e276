import { markStored } from './dialog.js';

// The button that downloads a new token, and the check box that reduces a long
// list of operations to the chosen ones.
document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-download]');
  if (!button) return;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([document.getElementById(button.dataset.download).textContent + '\n'], { type: 'text/plain' }));
  link.download = button.dataset.name;
  link.click();
  URL.revokeObjectURL(link.href);
  markStored(button);
});

document.addEventListener('change', (event) => {
  if (event.target.matches('[data-only-checked]')) event.target.closest('fieldset').classList.toggle('only-checked', event.target.checked);
});
