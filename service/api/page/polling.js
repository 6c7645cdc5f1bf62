// Looks again and again, at a steady pace, while the page is in sight.

export const EVERY = 1000; // milliseconds; nginx hands over its counts as often, so that a number is right after two seconds

/**
 * Look at once, and EVERY milliseconds after each look began, or when it ends if that is later. A page that is not in
 * sight does not look; one that comes back into sight looks at once.
 * @param {() => Promise<void>} look
 * @param {(error: Error) => void} failed what to do with the failure of a look
 * @returns {() => void} ends it
 */
export function again(look, failed) {
  let timer = 0;
  let looking = false;
  let over = false;
  async function turn() {
    clearTimeout(timer);
    if (over || looking || document.hidden) return;
    looking = true;
    const next = performance.now() + EVERY;
    try {
      await look();
    } catch (error) {
      if (!over) failed(/** @type {Error} */ (error));
    }
    looking = false;
    if (!over) timer = window.setTimeout(turn, Math.max(0, next - performance.now()));
  }
  document.addEventListener("visibilitychange", turn);
  turn();
  return () => {
    over = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", turn);
  };
}
