// Being heard in a tab that nobody looks at: two notes, and a title that changes until the tab is looked at.

let sound = null;
const title = document.title;
let timer = 0;

// Browsers make no sound before somebody has pressed something on the page.
for (const event of ["pointerdown", "keydown"]) {
  window.addEventListener(event, () => (sound ??= new AudioContext()), { once: true });
}

export function ring() {
  if (!sound) return;
  [660, 880].forEach((pitch, number) => {
    const note = sound.createOscillator();
    const loud = sound.createGain();
    const begins = sound.currentTime + number * 0.18;
    note.frequency.value = pitch;
    loud.gain.setValueAtTime(0.12, begins);
    loud.gain.exponentialRampToValueAtTime(0.001, begins + 0.16);
    note.connect(loud).connect(sound.destination);
    note.start(begins);
    note.stop(begins + 0.17);
  });
}

export function alert(words) {
  ring();
  clearInterval(timer);
  let isOn = false;
  timer = setInterval(() => {
    isOn = !isOn;
    document.title = isOn ? words : title;
  }, 1_000);
  if (!document.hidden) setTimeout(calm, 4_000);
}

export function calm() {
  clearInterval(timer);
  document.title = title;
}

document.addEventListener("visibilitychange", () => document.hidden || calm());
