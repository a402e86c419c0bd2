// @ts-check
/** @typedef {{ board: string, lane: string }} Lane */

/**
 * Follow the cells of a view: `paint` is called once a frame while any of them changes.
 * @param {Pick<import("@anywidget/types").RenderProps<Lane>, "model" | "signal">} props
 * @param {() => void} paint
 */
export async function follow({ model, signal }, paint) {
  const lane = `${model.get("lane")}.`;
  const board = await model.widget_manager.get_model(model.get("board")).catch(() => null);
  if (!board || signal?.aborted) return null; // it was over before it was seen
  let frame = 0;
  const draw = () => { frame = 0; paint(); };
  const soon = () => { frame ||= requestAnimationFrame(draw); };
  const heard = () => {
    const { changed } = /** @type {{ changed?: object }} */ (/** @type {unknown} */ (board));
    if (Object.keys(changed ?? {}).some((name) => name.startsWith(lane))) soon();
  };
  board.on("change", heard);
  return {
    /** @type {(name: string) => unknown} */
    cell: (name) => board.get(lane + name) ?? null,
    /** When the board was last told something, by the kernel's clock. */
    at: () => Number(board.get("at")),
    soon,
    leave() {
      board.off("change", heard);
      cancelAnimationFrame(frame);
    },
  };
}
