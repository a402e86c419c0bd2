// @ts-check
import * as draw from "./lib/detail.js";
import { h, say } from "./lib/dom.js";
import { follow } from "./lib/follow.js";
import { closer, frame, shown } from "./lib/frame.js";
import { player } from "./lib/player.js";
import { fill, parts, row } from "./lib/spans.js";
import { ROW_PX, reach, teller, took, wanted } from "./lib/waterfall.js";

/** @import { Detail, Kind, Line, Moment, Prompt, Rows, Steps, Title, Window, Words } from "./messages.js" */
/** @typedef {{ board: string, lane: string }} Model */

const TELL_MS = 40; // between two messages about where one is
const FIND_MS = 200; // and about what is looked for
const LATE_MS = 400; // after which what the kernel says of the moment stands over what was asked
const ROOM_ROWS = 17, AXIS_PX = 21;

/** @type {import("@anywidget/types").Render<Model>} */
async function render(props) {
  const { model, el } = props;
  const page = Math.random().toString(36).slice(2, 10), view = `agl-${page}-`;
  const card = frame(closer(model));
  const own = parts();
  const times = h("div", "agl-bar2", own.play, own.range, own.words, own.find, own.hits, own.toggles);
  card.body.append(times, own.stage, own.foot);
  const { spans, range, rows, detail } = own;
  let tall = 0; // rows that there is room for: what was shown once leaves no jump behind

  /** @type {Map<number, ReturnType<typeof row>>} */
  const lines = new Map();
  /** @type {Map<Element, string>} */
  const drawn = new Map();
  let picked = NaN, asked = "", movedAt = -Infinity, aimed = 0, aimedAt = -Infinity;

  const going = teller(/** @param {number} no */ (no) => model.send({ type: "go", no }), TELL_MS);
  const seeing = teller(/** @param {{ start: number, size: number }} rows */ ({ start, size }) => model.send({ type: "see", no: start, size, page }), TELL_MS);
  const finding = teller(/** @param {string} text */ (text) => model.send({ type: "find", text }), FIND_MS);
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
    const held = where.contains(document.activeElement) && document.activeElement instanceof HTMLElement ? document.activeElement.title : "";
    where.replaceChildren(...make());
    const twins = /** @type {NodeListOf<HTMLElement>} */ (where.querySelectorAll("[title]"));
    if (held) [...twins].find((el) => el.tabIndex >= 0 && el.title === held)?.focus({ preventScroll: true });
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
    let made = lines.get(no);
    if (!made) {
      const fresh = (made = row());
      lines.set(no, fresh);
      fresh.el.id = view + no;
      fresh.el.addEventListener("click", ({ target }) => {
        const below = /** @type {Line | null} */ (cell(`r${no}`))?.below ?? -1;
        if (target === fresh.twist && below >= 0) fold(no, below === 1);
        else model.send({ type: "select", no });
      });
      fresh.el.addEventListener("dblclick", () => model.send({ type: "begin", no }));
      rows.append(fresh.el);
    }
    fill(made, line, place, no === now.span, moment);
  };

  /** @param {Rows} now @param {Moment} moment */
  const paintRows = (now, moment) => {
    for (const part of [times, own.picture, own.foot]) part.style.display = moment.entries ? "" : "none";
    own.travel.classList.toggle("alone", !moment.entries);
    tall = Math.max(tall, Math.min(now.total, ROOM_ROWS));
    own.travel.style.setProperty("--agl-tall", `${tall * ROW_PX + AXIS_PX}px`);
    if (document.activeElement !== own.find) own.find.value = now.find;
    say(own.hits, now.found < 0 ? "" : `${now.found || "nothing"} found`);
    rows.style.height = `${now.total * ROW_PX}px`;
    spans.setAttribute("aria-rowcount", String(now.total));
    const { start, spans: nos } = seen(), here = new Set(nos);
    if (now.row >= 0 && here.has(now.span)) spans.setAttribute("aria-activedescendant", view + now.span);
    else spans.removeAttribute("aria-activedescendant");
    for (const [no, { el: gone }] of lines) {
      if (here.has(no)) continue;
      gone.remove();
      lines.delete(no);
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
    if (!play.playing() && performance.now() - movedAt > LATE_MS) range.value = String(moment.heard);
    range.setAttribute("aria-valuetext", `${moment.words}, ${moment.said}`);
    say(own.words, moment.words);
    say(own.said, moment.said);
    put(own.scale, moment.span, () => [0, 0.5, 1].map((part) => h("span", "", took(part * moment.span * 1000))));
    if (moment.heard < moment.entries) card.say(moment.said);
  };

  /** @param {Kind[]} kinds */
  const paintKinds = (kinds) => put(own.toggles, kinds, () => {
    return kinds.map(({ name, count, on }) => {
      const chip = h("button", "agl-toggle", `${name} ${count}`);
      chip.type = "button";
      chip.title = `show or hide: ${name}`;
      chip.setAttribute("aria-pressed", String(on));
      chip.addEventListener("click", () => {
        const left = kinds.filter((each) => (each.name === name ? !on : each.on)).map((each) => each.name);
        model.send({ type: "kinds", kinds: left });
      });
      return chip;
    });
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

  const play = player(own.play, range, go);

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
    " ": play.toggle,
  };
  spans.addEventListener("keydown", (event) => {
    const act = keys[event.key], now = /** @type {Rows | null} */ (cell("rows"));
    if (!act || !now || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    act(now, cell(`r${now.span}`));
  });
  card.card.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target === own.find) return;
    event.preventDefault();
    event.stopPropagation();
    own.find.focus();
  });
  own.find.addEventListener("input", () => finding.tell(own.find.value));
  own.find.addEventListener("keydown", (event) => {
    if (event.key === "Enter") spans.focus();
  });
  spans.addEventListener("scroll", look, { passive: true });
  range.addEventListener("input", () => {
    play.stop();
    go(Number(range.value));
  });
  const lane = await follow(props, paint);
  return lane ? shown(el, card, lane, paint, play.stop, going.stop, seeing.stop, finding.stop) : undefined;
}

export default { render };
