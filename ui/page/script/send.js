// A form that only carries something on to the next place goes there by itself.
document.querySelector('form[data-send]')?.requestSubmit();
