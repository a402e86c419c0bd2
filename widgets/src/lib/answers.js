// @ts-check
/**
 * What is wrong with a text that should be JSON, or nothing.
 * @param {string} text
 */
export function wrongWith(text) {
  try {
    JSON.parse(text);
    return "";
  } catch (error) {
    return `This is not JSON yet: ${error instanceof Error ? error.message : error}`;
  }
}

/**
 * Which one is looked at next when some of many are gone: the one after it, or else before it; 0 is none.
 * @param {number[]} before
 * @param {number[]} now
 * @param {number} at  that had the focus
 */
export function nextOf(before, now, at) {
  const place = before.indexOf(at);
  const left = (/** @type {number} */ no) => now.includes(no);
  return before.slice(place).find(left) ?? before.slice(0, place).findLast(left) ?? now[0] ?? 0;
}
