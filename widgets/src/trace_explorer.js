// @ts-check
import * as draw from "./lib/detail.js";
import { h, say } from "./lib/dom.js";
import { follow } from "./lib/follow.js";
import { button, closer, frame } from "./lib/frame.js";
import { ROW_PX, bar, pace, phase, reach, teller, took, wanted } from "./lib/waterfall.js";

/** @import { Detail, Kind, Line, Moment, Prompt, Rows, Steps, Title, Window, Words } from "./messages.js" */
/** @typedef {{ board: string, lane: string }} Model */

const TELL_MS = 40; // between two messages about where one is
const STILL_MS = 1000; // between two steps of a play that must not move
const LATE_MS = 400; // after which what the kernel says of the moment stands over what was asked
const ROOM_ROWS = 17, AXIS_PX = 21;
const KEYS = "↑ ↓ rows, ← → fold, Enter goes to where it began, Space plays, / filters";

/** What stands still, and what is painted in it. */
function parts() {
  const play = button("▶", "play", () => {});
  const range = h("input", "agl-range");
  const words = h("span", "agl-ms"), toggles = h("span", "agl-toggles");
  const axis = h("div", "agl-span agl-axis"), scale = h("span", "agl-scale");
  const rows = h("div", "agl-rows"), spans = h("div", "agl-spans"), at = h("i");
  const detail = h("aside", "agl-detail"), said = h("p", "agl-small agl-then"), keys = h("p", "agl-small", KEYS);
  range.type = "range";
  range.min = "0";
  range.setAttribute("aria-label", "moment");
  range.title = "explorer.moment";
  toggles.setAttribute("role", "group");
  toggles.setAttribute("aria-label", "kinds that are shown");
  axis.append(h("span"), scale, h("span"));
  axis.setAttribute("aria-hidden", "true");
  // Over the rows and not among them: to paint a line as long as all of them takes a second.
  const cursor = h("div", "agl-cursor", h("div", "agl-span", h("span"), h("span", "agl-track", at), h("span")));
  cursor.setAttribute("aria-hidden", "true");
  spans.append(rows);
  spans.tabIndex = 0;
  spans.setAttribute("role", "treegrid");
  spans.setAttribute("aria-label", "runs and calls");
  detail.setAttribute("aria-label", "what is selected");
  detail.tabIndex = 0;
  const picture = h("div", "agl-picture", h("div", "agl-gutter", axis), h("div", "agl-view", spans, cursor));
  const travel = h("div", "agl-travel", picture, detail), stage = h("div", "agl-stage", travel);
  const foot = h("div", "agl-explain", said, keys);
  return { play, range, words, toggles, scale, rows, spans, at, detail, said, picture, travel, stage, foot };
}

/** A row, whose texts are set anew while it grows. */
function row() {
  const twist = h("span", "agl-twist"), name = h("span", "agl-call"), gist = h("span", "agl-gist"), word = h("span");
  const fill = h("i"), track = h("span", "agl-track", fill), ms = h("span", "agl-took");
  const what = h("span", "agl-clip", twist, name, " ", word, " ", gist);
  const el = h("div", "agl-span", what, track, ms);
  el.setAttribute("role", "row");
  for (const cell of [what, track, ms]) cell.setAttribute("role", "gridcell");
  return { el, what, twist, name, gist, word, fill, track, ms };
}

/** @type {import("@anywidget/types").Render<Model>} */
async function render(props) {
  const { model, el } = props;
  const page = Math.random().toString(36).slice(2, 10), view = `agl-${page}-`;
  const card = frame(closer(model));
  const own = parts();
  const times = h("div", "agl-bar2", own.play, own.range, own.words, own.toggles);
  card.body.append(times, own.stage, own.foot);
  const { spans, range, rows, detail } = own;
  let tall = 0; // rows that there is room for: what was shown once leaves no jump behind
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

  /** @type {Map<number, ReturnType<typeof row>>} */
  const shown = new Map();
  /** @type {Map<Element, string>} */
  const drawn = new Map();
  let picked = NaN, asked = "", movedAt = -Infinity, playing = 0, position = 0, aimed = 0, aimedAt = -Infinity;

  const going = teller(/** @param {number} no */ (no) => model.send({ type: "go", no }), TELL_MS);
  const seeing = teller(/** @param {{ start: number, size: number }} rows */ ({ start, size }) => model.send({ type: "see", no: start, size, page }), TELL_MS);
  /** @type {<T>(name: string) => T | null} */
  const cell = (name) => /** @type {any} */ (lane?.cell(name) ?? null);

  /**
   * Draw something anew where it is different.
   * @param {Element} where
   * @param {unknown} what
   * @param {() => (Node | string)[]} make
   */
  const put = (where, what, make) => {
    const text = JSON.stringify(what);
    if (drawn.get(where) === text) return;
    drawn.set(where, text);
    where.replaceChildren(...make());
  };

  const seen = () => /** @type {Window} */ (cell(`w${page}`) ?? cell("w") ?? { start: 0, spans: [] });
  const look = () => {
    const now = /** @type {Rows | null} */ (cell("rows"));
    if (!now) return;
    const next = wanted(spans.scrollTop, spans.clientHeight, now.total);
    const text = `${next.start} ${next.size} ${cell(`w${page}`) === null}`;
    if (text === asked) return;
    asked = text;
    seeing.tell(next);
  };

  /** @param {number} place */
  const pick = (place) => {
    const now = /** @type {Rows | null} */ (cell("rows"));
    if (!now?.total) return;
    const to = Math.min(Math.max(place, 0), now.total - 1), { start, spans: nos } = seen();
    const no = nos[to - start];
    aimed = to;
    aimedAt = performance.now();
    model.send(no === undefined ? { type: "row", no: to } : { type: "select", no });
    spans.scrollTop = reach(to, spans.scrollTop, spans.clientHeight);
  };

  /** @param {number} no @param {boolean} away */
  const fold = (no, away) => model.send({ type: "fold", no, away });

  /**
   * @param {number} no
   * @param {Line} line
   * @param {number} place
   * @param {Rows} now
   * @param {Moment} moment
   */
  const paintRow = (no, line, place, now, moment) => {
    let made = shown.get(no);
    if (!made) {
      const fresh = (made = row());
      shown.set(no, fresh);
      fresh.el.id = view + no;
      fresh.el.addEventListener("click", ({ target }) => {
        const below = /** @type {Line | null} */ (cell(`r${no}`))?.below ?? -1;
        if (target === fresh.twist && below >= 0) fold(no, below === 1);
        else model.send({ type: "select", no });
      });
      fresh.el.addEventListener("dblclick", () => model.send({ type: "begin", no }));
      rows.append(fresh.el);
    }
    const { left, width } = bar(line, moment.span);
    const when = phase(line, moment.heard), on = no === now.span;
    made.el.className = `agl-span ${on ? "on" : ""} ${when}`.trim();
    made.el.style.top = `${place * ROW_PX}px`;
    made.el.setAttribute("aria-level", String(line.level));
    made.el.setAttribute("aria-rowindex", String(place + 1));
    made.el.setAttribute("aria-selected", String(on));
    if (line.below < 0) made.el.removeAttribute("aria-expanded");
    else made.el.setAttribute("aria-expanded", String(line.below === 1));
    made.what.style.paddingLeft = `${Math.min(line.level - 1, 12) * 14}px`;
    say(made.twist, line.below < 0 ? "" : line.below ? "▾" : "▸");
    say(made.name, line.name);
    say(made.gist, line.gist);
    say(made.word, line.word);
    say(made.ms, line.took);
    made.name.className = line.hue ? `agl-label ${line.hue}` : "";
    made.word.className = line.hue === "bad" ? "agl-label bad" : "agl-gist";
    const dot = !line.took && line.end >= 0;
    made.fill.className = `agl-fill ${line.hue} ${dot ? "dot" : ""}`.trim();
    made.fill.style.left = `${left}%`;
    made.fill.style.width = dot ? "" : `${width}%`;
    made.what.title = `${line.name} ${line.word} ${line.gist}`;
  };

  /** @param {Rows} now @param {Moment} moment */
  const paintRows = (now, moment) => {
    for (const part of [times, own.picture, own.foot]) part.style.display = moment.entries ? "" : "none";
    own.travel.classList.toggle("alone", !moment.entries);
    tall = Math.max(tall, Math.min(now.total, ROOM_ROWS));
    own.travel.style.setProperty("--agl-tall", `${tall * ROW_PX + AXIS_PX}px`);
    rows.style.height = `${now.total * ROW_PX}px`;
    spans.setAttribute("aria-rowcount", String(now.total));
    spans.setAttribute("aria-activedescendant", now.row < 0 ? "" : view + now.span);
    const { start, spans: nos } = seen(), here = new Set(nos);
    for (const [no, { el: gone }] of shown) {
      if (here.has(no)) continue;
      gone.remove();
      shown.delete(no);
    }
    nos.forEach((no, i) => {
      const line = /** @type {Line | null} */ (cell(`r${no}`));
      if (line) paintRow(no, line, start + i, now, moment);
    });
    own.at.style.left = `${moment.span ? (moment.at / moment.span) * 100 : 0}%`;
    if (now.span !== picked && now.row >= 0) {
      const first = Number.isNaN(picked);
      picked = now.span;
      if (!first) spans.scrollTop = reach(now.row, spans.scrollTop, spans.clientHeight);
    }
  };

  /** @param {Moment} moment */
  const paintMoment = (moment) => {
    range.max = String(moment.entries);
    if (!playing && performance.now() - movedAt > LATE_MS) range.value = String(moment.heard);
    range.setAttribute("aria-valuetext", `${moment.words}, ${moment.said}`);
    say(own.words, moment.words);
    say(own.said, moment.said);
    put(own.scale, moment.span, () => [0, 0.5, 1].map((part) => h("span", "", took(part * moment.span * 1000))));
    if (moment.heard < moment.entries) card.say(moment.said);
  };

  /** @param {Kind[]} kinds */
  const paintKinds = (kinds) => put(own.toggles, kinds, () => {
    const held = own.toggles.contains(document.activeElement) ? document.activeElement?.getAttribute("data-kind") : "";
    const chips = kinds.map(({ name, count, on }) => {
      const chip = h("button", "agl-toggle", `${name} ${count}`);
      chip.type = "button";
      chip.dataset.kind = name;
      chip.setAttribute("aria-pressed", String(on));
      chip.addEventListener("click", () => {
        const left = kinds.filter((each) => (each.name === name ? !on : each.on)).map((each) => each.name);
        model.send({ type: "kinds", kinds: left });
      });
      return chip;
    });
    const again = chips.find((chip) => chip.dataset.kind === held);
    if (again) queueMicrotask(() => again.focus());
    return chips;
  });

  const slots = ["detail", "prompt", "texts", "steps", "saying"].map((name) => ({ name, box: h("div", "agl-slot") }));
  detail.append(...slots.map(({ box }) => box));
  /** @type {Record<string, (what: any) => (Node | string)[]>} */
  const makers = {
    detail: /** @param {Detail} what */ (what) => draw.heading(what),
    prompt: /** @param {Prompt} what */ (what) => draw.prompt(what, () => model.send({ type: "whole" })),
    texts: /** @param {Words[]} what */ (what) => what.map(draw.words),
    steps: /** @param {Steps} what */ (what) => draw.steps(what),
    saying: /** @param {string} what */ (what) => (what ? [h("span", "agl-label thought", "being said"), h("pre", "agl-pre", what, h("span", "agl-caret"))] : []),
  };
  const paintDetail = () => {
    for (const { name, box } of slots) {
      const what = cell(name);
      put(box, what, () => (what === null ? [] : makers[name]?.(what) ?? []));
      const pre = name === "saying" && box.querySelector("pre");
      if (pre) pre.scrollTop = pre.scrollHeight;
    }
  };

  const paint = () => {
    const title = /** @type {Title | null} */ (cell("title"));
    const moment = /** @type {Moment | null} */ (cell("moment")), now = /** @type {Rows | null} */ (cell("rows"));
    if (!title || !moment || !now) return;
    card.paint(title);
    paintMoment(moment);
    paintKinds(/** @type {Kind[]} */ (cell("kinds") ?? []));
    paintRows(now, moment);
    paintDetail();
    look();
  };

  /** @param {number} heard */
  const go = (heard) => {
    movedAt = performance.now();
    range.value = String(heard);
    going.tell(Math.floor(heard));
  };

  const stop = () => {
    cancelAnimationFrame(playing);
    clearTimeout(playing);
    playing = 0;
    say(own.play, "▶");
    own.play.title = "play";
    own.play.setAttribute("aria-label", "play");
  };
  const start = () => {
    const entries = Number(range.max);
    position = Number(range.value) >= entries ? 0 : Number(range.value);
    say(own.play, "❚❚");
    own.play.title = "pause";
    own.play.setAttribute("aria-label", "pause");
    let before = performance.now();
    const on = () => {
      const now = performance.now();
      position = Math.min(Number(range.max), position + (pace(entries) * (now - before)) / 1000);
      before = now;
      go(position);
      if (position >= Number(range.max)) return stop();
      playing = still ? window.setTimeout(on, STILL_MS) : requestAnimationFrame(on);
    };
    on();
  };
  const toggle = () => (playing ? stop() : start());

  /** @param {number} rows */
  const move = (rows) => { // keys may come faster than the kernel answers
    const at = performance.now() - aimedAt < LATE_MS ? aimed : /** @type {Rows} */ (cell("rows")).row;
    pick(at + rows);
  };
  /** @type {Record<string, (now: Rows, line: Line | null) => void>} */
  const keys = {
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    PageDown: () => move(Math.floor(spans.clientHeight / ROW_PX)),
    PageUp: () => move(-Math.floor(spans.clientHeight / ROW_PX)),
    Home: () => pick(0),
    End: ({ total }) => pick(total - 1),
    ArrowLeft: (now, line) => {
      if (line?.below === 1) fold(now.span, true);
      else model.send({ type: "above", no: now.span });
    },
    ArrowRight: (now, line) => {
      if (line?.below === 0) fold(now.span, false);
      else if (line?.below === 1) move(1);
    },
    Enter: ({ span }) => model.send({ type: "begin", no: span }),
    " ": toggle,
  };
  spans.addEventListener("keydown", (event) => {
    const act = keys[event.key], now = /** @type {Rows | null} */ (cell("rows"));
    if (!act || !now || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    act(now, cell(`r${now.span}`));
  });
  card.card.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target instanceof HTMLInputElement && event.target.type === "text") return;
    event.preventDefault();
    event.stopPropagation();
    own.toggles.querySelector("button")?.focus();
  });
  spans.addEventListener("scroll", look, { passive: true });
  range.addEventListener("input", () => {
    if (playing) stop();
    go(Number(range.value));
  });
  own.play.addEventListener("click", toggle);
  stop();

  const lane = await follow(props, paint);
  if (!lane) return;
  el.append(card.card);
  paint();
  return () => {
    stop();
    going.stop();
    seeing.stop();
    lane.leave();
    card.leave();
    card.card.remove();
  };
}

export default { render };
