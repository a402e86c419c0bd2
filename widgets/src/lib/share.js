// @ts-check
/** @import { Quorum } from "../messages.js" */

/**
 * How much of a whole succeeded, failed, and was cancelled, in percent.
 * @param {Pick<Quorum, "total" | "done" | "failed" | "cancelled">} quorum
 */
export function share({ total, done, failed, cancelled }) {
  const parts = [{ hue: "agl-g1", times: done }, { hue: "agl-g4", times: failed }, { hue: "agl-g2", times: cancelled }];
  return parts.filter(({ times }) => times > 0).map(({ hue, times }) => ({ hue, percent: (100 * times) / Math.max(1, total) }));
}
