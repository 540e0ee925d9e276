// A form that only passes data on to another site is sent automatically.
document.querySelector('form[data-send]')?.requestSubmit();
