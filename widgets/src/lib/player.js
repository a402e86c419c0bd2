// @ts-check
import { say } from "./dom.js";
import { pace } from "./waterfall.js";

const STILL_MS = 1000; // between two steps of a play that must not move

/**
 * Plays through the moments of a slider, from where it stands; at its end, from the beginning.
 * @param {HTMLButtonElement} key  starts and stops it
 * @param {HTMLInputElement} range
 * @param {(heard: number) => void} go
 */
export function player(key, range, go) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  let on = false, turn = 0;

  /** @param {string} sign @param {string} what */
  const show = (sign, what) => {
    say(key, sign);
    key.title = what;
    key.setAttribute("aria-label", what);
  };
  const stop = () => {
    if (still) clearTimeout(turn); // either has numbers of its own, and others on the page have theirs
    else cancelAnimationFrame(turn);
    on = false;
    show("▶", "play");
  };
  const start = () => {
    const entries = Number(range.max);
    let position = Number(range.value) >= entries ? 0 : Number(range.value), before = performance.now();
    on = true;
    show("❚❚", "pause");
    const step = () => {
      const now = performance.now();
      position = Math.min(Number(range.max), position + (pace(entries) * (now - before)) / 1000);
      before = now;
      go(position);
      if (position >= Number(range.max)) return stop();
      turn = still ? window.setTimeout(step, STILL_MS) : requestAnimationFrame(step);
    };
    step();
  };
  const toggle = () => (on ? stop() : start());
  key.addEventListener("click", toggle);
  stop();
  return { playing: () => on, stop, toggle };
}
