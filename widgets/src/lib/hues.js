// @ts-check
/** The classes of hues, written out: the sheet of a view is cut to the names in its source. */
const HUES = ["agl-g0", "agl-g1", "agl-g2", "agl-g3", "agl-g4", "agl-g5"];

/** @param {number} no  as in Python; what has none is grey */
export const hue = (no) => HUES[no] ?? "agl-g5";
