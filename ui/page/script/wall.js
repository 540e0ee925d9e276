// The clock of a screen on a wall, and the way back for somebody who is signed in.
const second = 1000; // ms

const clock = document.querySelector('[data-clock]');
if (clock) {
  setInterval(() => {
    clock.textContent = new Date().toISOString().slice(11, 16) + ' UTC';
  }, second);
}

document.querySelector('[data-full-screen]')?.addEventListener('click', () => document.documentElement.requestFullscreen());

// Escape leaves the full screen first: the browser does that.
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && !document.fullscreenElement) document.querySelector('[data-leave]')?.click();
});
