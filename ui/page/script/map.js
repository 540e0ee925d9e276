// Arrow keys move between the hosts of a site on the map. Only the first is in
// the tab order, because a site may have hundreds.
document.addEventListener('keydown', (event) => {
  const step = { ArrowLeft: 'previousElementSibling', ArrowRight: 'nextElementSibling' }[event.key];
  if (!step || !event.target.matches('[data-cells] > a') || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  event.target[step]?.focus();
});
