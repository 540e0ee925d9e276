// Preferences for the appearance apply at once. They are stored in cookies,
// from which the server reads them for the next page.
const year = 31536000; // s
const defaults = { theme: '', rows: '', sidebar: 'open' };

document.addEventListener('submit', (event) => {
  const { name, value } = event.submitter ?? {};
  if (!event.target.matches('[data-preference]') || !(name in defaults)) return;
  event.preventDefault();
  const usual = value === defaults[name];
  document.cookie = `trento-${name}=${value}; path=/; samesite=lax; max-age=${usual ? 0 : year}` + (location.protocol === 'https:' ? '; secure' : '');
  if (usual) delete document.documentElement.dataset[name];
  else document.documentElement.dataset[name] = value;
  for (const button of event.target.querySelectorAll(`button[name=${name}]`)) {
    if (button.hasAttribute('aria-pressed')) button.setAttribute('aria-pressed', button.value === value);
  }
});
