// @ts-check
import { h, say } from "./lib/dom.js";
import { follow } from "./lib/follow.js";
import { button, closer, frame } from "./lib/frame.js";
import { meanings } from "./lib/map.js";
import { reach, teller, wanted } from "./lib/waterfall.js";

/** @import { Clock, Dots, Found, Hint, Kind, Marks, Memory, Search, Spots, Title, Why, Window } from "./messages.js" */
/** @typedef {{ board: string, lane: string }} Model */

const TELL_MS = 40, TYPE_MS = 150, LATE_MS = 400; // between messages; and until the kernel's word stands over ours
const PLAY_MS = 9000, STILL_MS = 1000, STEPS = 10; // of a play, and of one that must not move
const ROW_PX = 28, ROOM_ROWS = 8, ALL = 1000, SAID = 160;
const KEYS = "/ asks, ↑ ↓ rows, arrows on the map go to the next dot, Space plays";

/** @param {string} name @param {string} title */
function choice(name, title) {
  const made = h("select", "agl-select");
  made.setAttribute("aria-label", name);
  made.title = title;
  return made;
}

/** What stands still, and what is painted in it. */
function parts() {
  const ask = h("input", "agl-input agl-asking"), sort = choice("order", "explorer.sort"), way = choice("map", "explorer.projection");
  const agents = h("span", "agl-toggles"), tags = h("span", "agl-toggles");
  const play = button("▶", "let time pass", () => {}), range = h("input", "agl-range"), until = h("span", "agl-until");
  const rows = h("div", "agl-rows"), list = h("div", "agl-mems", rows), why = h("div", "agl-why");
  const said = h("p"), rule = h("p", "agl-small"), keys = h("p", "agl-small", KEYS);
  ask.type = "search";
  ask.placeholder = "ask, as an agent would…";
  ask.title = "explorer.query";
  ask.setAttribute("aria-label", "what is asked");
  agents.setAttribute("role", "group");
  agents.setAttribute("aria-label", "agents");
  tags.setAttribute("role", "group");
  tags.setAttribute("aria-label", "tags");
  range.type = "range";
  range.min = "0";
  range.max = String(ALL);
  range.title = "explorer.moment";
  range.setAttribute("aria-label", "clock");
  list.tabIndex = 0;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "what is remembered");
  why.tabIndex = 0;
  why.setAttribute("aria-label", "what is selected, and why it would be recalled");
  why.setAttribute("role", "group");
  const asking = h("div", "agl-bar2", ask, sort, way), chips = h("div", "agl-bar2", agents, tags), time = h("div", "agl-bar2", play, range, until);
  return { ask, sort, way, agents, tags, play, range, until, rows, list, why, said, rule, asking, chips, time, keys, foot: h("div", "agl-explain", said, rule, keys) };
}

/** A row, whose texts are set anew while it fades. */
function row() {
  const text = h("span", "agl-clip agl-recalled"), agent = h("span", "agl-small agl-owner"), fill = h("i"), now = h("span");
  const bar = h("span", "agl-bar ok", fill), right = h("span", "agl-ms agl-worth", bar, " ", now);
  const el = h("div", "agl-mem", h("span", "agl-spot"), text, " ", agent, " ", right);
  el.setAttribute("role", "option");
  return { el, text, agent, fill, bar, now, right };
}

/**
 * Why an item would be recalled: its whole text, and its score as a sum in words and as a bar.
 * @param {Why} why
 */
function reasons({ text, tags, score, terms, shares, hues, notes, path, gone }) {
  const made = [];
  if (score) {
    const sum = terms.flatMap((term, i) => [i ? " + " : "", h("span", `agl-label ${hues[i] ?? ""}`, term)]);
    const stack = h("span", "agl-stack", ...shares.map((share, i) => {
      const part = h("i", hues[i] ?? "");
      part.style.width = `${(100 * share).toFixed(1)}%`;
      return part;
    }));
    made.push(h("div", "", h("b", "", score), " = ", ...sum, stack));
  }
  const whole = h("div", "agl-content", text);
  whole.title = "explorer.selected";
  const about = h("p", "agl-small", ...(gone ? [h("span", "agl-label warn", gone), " · "] : []), notes.join(" · "), " ", ...tags.map((tag) => h("span", "agl-tag", tag)));
  const code = h("code", "agl-code", path);
  const copy = button("Copy", "copy the Python path", async () => {
    const done = await navigator.clipboard?.writeText(path).then(() => true, () => false);
    if (!done) getSelection()?.selectAllChildren(code);
    say(copy, done ? "Copied" : "Press Ctrl+C");
  });
  copy.dataset.name = "copy";
  return [...made, whole, about, h("div", "agl-pair agl-where", code, " ", copy)];
}

/** @type {import("@anywidget/types").Render<Model>} */
async function render(props) {
  const { model, el } = props;
  const page = Math.random().toString(36).slice(2, 10), view = `agl-${page}-`;
  const again = button("Read again", "read the memory anew", () => model.send({ type: "refresh" }));
  const card = frame(again, closer(model));
  const own = parts(), { ask, list, rows, range } = own;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const pointing = teller(/** @param {number} no */ (no) => model.send({ type: "point", no, page }), 2 * TELL_MS);
  const map = meanings((no) => pick(no), (no) => { near(no); if (no >= 0) pointing.tell(no); });
  const split = h("div", "agl-memories", h("div", "", list, own.why), map.el), stage = h("div", "agl-stage", split);
  card.body.append(own.asking, own.chips, own.time, stage, own.foot);

  /** @type {Map<number, ReturnType<typeof row>>} */
  const shown = new Map();
  /** @type {Map<Element, string>} */
  const drawn = new Map();
  let picked = NaN, asked = "", movedAt = -Infinity, typedAt = -Infinity, playing = 0, position = 0, aimed = 0, aimedAt = -Infinity, tall = 0;

  const going = teller(/** @param {number} no */ (no) => model.send({ type: "go", no }), TELL_MS);
  const seeing = teller(/** @param {{ start: number, size: number }} some */ ({ start, size }) => model.send({ type: "see", no: start, size, page }), TELL_MS);
  const typing = teller(/** @param {string} query */ (query) => model.send({ type: "ask", query, page }), TYPE_MS);
  /** @type {<T>(name: string) => T | null} */
  const cell = (name) => /** @type {any} */ (lane?.cell(name) ?? null);

  /**
   * Draw something anew where it is different; what has the focus in there keeps it.
   * @param {HTMLElement} where
   * @param {unknown} what
   * @param {() => Node[]} make
   */
  const put = (where, what, make) => {
    const text = JSON.stringify(what);
    if (drawn.get(where) === text) return;
    drawn.set(where, text);
    const active = document.activeElement;
    const held = active instanceof HTMLElement && where.contains(active) ? active.dataset.name : undefined;
    where.replaceChildren(...make());
    if (held === undefined) return;
    const again = [...where.querySelectorAll("[data-name]")].find((each) => each instanceof HTMLElement && each.dataset.name === held);
    if (again instanceof HTMLElement) again.focus();
  };

  const found = () => /** @type {Found | null} */ (cell("found"));
  const seen = () => /** @type {Window} */ (cell(`w${page}`) ?? cell("w") ?? { start: 0, spans: [] });
  const look = () => {
    const now = found();
    if (!now) return;
    const next = wanted(list.scrollTop, list.clientHeight, now.total, ROW_PX);
    const text = `${next.start} ${next.size} ${cell(`w${page}`) === null}`;
    if (text === asked) return;
    asked = text;
    seeing.tell(next);
  };
  /** @param {number} no */
  const pick = (no) => model.send({ type: "select", no });
  /** @param {number} no */
  const near = (no) => { for (const [other, { el: item }] of shown) item.classList.toggle("near", other === no); };
  /** @param {number} place */
  const pickRow = (place) => {
    const now = found();
    if (!now?.total) return;
    const to = Math.min(Math.max(place, 0), now.total - 1), no = seen().spans[to - seen().start];
    aimed = to;
    aimedAt = performance.now();
    model.send(no === undefined ? { type: "row", no: to } : { type: "select", no });
    list.scrollTop = reach(to, list.scrollTop, list.clientHeight, ROW_PX);
  };

  /** @param {number} no @param {Memory} item @param {number} place @param {Found} now */
  const paintRow = (no, item, place, now) => {
    let made = shown.get(no);
    if (!made) {
      made = row();
      shown.set(no, made);
      made.el.id = view + no;
      made.el.addEventListener("click", () => pick(no));
      made.el.addEventListener("pointerenter", () => map.hover(no));
      made.el.addEventListener("pointerleave", () => map.hover(-1));
      rows.append(made.el);
    }
    const on = no === now.no;
    made.el.classList.toggle("on", on);
    made.el.classList.toggle("hit", item.hit);
    made.el.style.top = `${place * ROW_PX}px`;
    made.el.style.setProperty("--agl-fade", (0.7 + 0.3 * item.left).toFixed(2));
    made.el.setAttribute("aria-selected", String(on));
    made.el.setAttribute("aria-description", item.hit ? "would be recalled" : "");
    made.el.setAttribute("aria-posinset", String(place + 1));
    made.el.setAttribute("aria-setsize", String(now.total));
    say(made.text, item.text);
    say(made.agent, item.agent);
    say(made.now, item.now);
    made.text.title = item.text;
    made.right.style.display = item.share < 0 ? "none" : "";
    made.fill.style.width = `${Math.round(100 * item.share)}%`;
  };

  /** @param {Found} now */
  const paintRows = (now) => {
    for (const part of [own.asking, stage, own.keys]) part.style.display = now.empty ? "none" : "";
    own.time.style.display = !now.empty && (/** @type {Clock | null} */ (cell("clock"))?.span ?? 0) > 0 ? "" : "none";
    tall = Math.max(tall, Math.min(now.total, ROOM_ROWS), 3);
    list.style.setProperty("--agl-tall", `${tall * ROW_PX}px`);
    rows.style.height = `${now.total * ROW_PX}px`;
    if (now.row < 0) list.removeAttribute("aria-activedescendant");
    else list.setAttribute("aria-activedescendant", view + now.no);
    const { start, spans: nos } = seen(), here = new Set(nos);
    for (const [no, { el: item }] of shown) {
      if (here.has(no)) continue;
      item.remove();
      shown.delete(no);
    }
    nos.forEach((no, i) => {
      const item = /** @type {Memory | null} */ (cell(`r${no}`));
      if (item) paintRow(no, item, start + i, now);
    });
    if (now.no !== picked && now.row >= 0) {
      const first = Number.isNaN(picked);
      picked = now.no;
      if (!first) list.scrollTop = reach(now.row, list.scrollTop, list.clientHeight, ROW_PX);
    }
  };

  /** @param {HTMLElement} where @param {string} type @param {Kind[]} kinds */
  const paintChips = (where, type, kinds) => put(where, kinds, () => kinds.map(({ name, count, on }) => {
    const chip = h("button", "agl-toggle", `${name} ${count}`);
    chip.type = "button";
    chip.dataset.name = name;
    chip.title = `explorer.${type}s`;
    chip.setAttribute("aria-pressed", String(on));
    chip.addEventListener("click", () => model.send({ type, name }));
    return chip;
  }));

  /** @param {HTMLSelectElement} where @param {string[]} names @param {string} name */
  const paintChoice = (where, names, name) => {
    put(where, names, () => names.map((each) => {
      const option = h("option", "", each);
      option.value = each;
      return option;
    }));
    where.style.display = names.length > 1 ? "" : "none";
    if (where.value !== name) where.value = name;
  };

  const ahead = () => (Number(range.value) / ALL) * (/** @type {Clock | null} */ (cell("clock"))?.span ?? 0);
  const paintMap = () => {
    const clock = /** @type {Clock | null} */ (cell("clock")), marks = /** @type {Marks | null} */ (cell("marks"));
    const spots = /** @type {Spots | null} */ (cell("spots")), search = /** @type {Search | null} */ (cell("search")), now = found();
    if (!clock || !marks || !spots || !search || !now) return;
    map.take(Array.from({ length: spots.dots }, (_, i) => /** @type {Dots | null} */ (cell(`d${i}`))));
    map.paint({ clock, marks, spots, ahead: ahead(), no: now.no, query: search.query });
    const hint = /** @type {Hint | null} */ (cell(`h${page}`));
    if (hint) map.hint(hint.no, hint.text);
  };

  const paint = () => {
    const title = /** @type {Title | null} */ (cell("title")), search = /** @type {Search | null} */ (cell("search"));
    const clock = /** @type {Clock | null} */ (cell("clock")), now = found();
    if (!title || !search || !clock || !now) return;
    card.paint(title);
    if (search.by !== page && performance.now() - typedAt > LATE_MS && ask.value !== search.query) ask.value = search.query;
    paintChoice(own.sort, search.sorts, search.sort);
    paintChoice(own.way, search.ways, search.way);
    const agents = /** @type {Kind[]} */ (cell("agents") ?? []), tags = /** @type {Kind[]} */ (cell("tags") ?? []);
    paintChips(own.agents, "agent", agents);
    paintChips(own.tags, "tag", tags);
    own.chips.style.display = agents.length + tags.length ? "" : "none";
    if (!playing && performance.now() - movedAt > LATE_MS) range.value = String(clock.at);
    range.setAttribute("aria-valuetext", clock.words);
    say(own.until, clock.words);
    paintRows(now);
    const why = /** @type {Why | null} */ (cell("why"));
    put(own.why, why, () => (why ? reasons(why) : [h("p", "agl-small", "Nothing is found.")]));
    say(own.said, now.empty || now.said);
    say(own.rule, now.empty ? "" : now.rule);
    const walked = document.activeElement === map.field && why; // there a reader sees no row
    card.say(walked ? `${why.score} ${why.text.slice(0, SAID)}` : `${now.said}${clock.span ? `; ${clock.words}` : ""}`);
    paintMap();
    look();
  };

  /** @param {number} at  in thousandths */
  const go = (at) => {
    movedAt = performance.now();
    range.value = String(Math.round(Math.min(Math.max(at, 0), ALL)));
    going.tell(Number(range.value));
    paintMap(); // what fades does so at once
  };
  const stop = () => {
    cancelAnimationFrame(playing);
    clearTimeout(playing);
    playing = 0;
    say(own.play, "▶");
    own.play.title = "let time pass";
    own.play.setAttribute("aria-label", "play");
  };
  const start = () => {
    position = Number(range.value) >= ALL ? 0 : Number(range.value);
    say(own.play, "❚❚");
    own.play.title = "pause";
    own.play.setAttribute("aria-label", "pause");
    let before = performance.now();
    const on = () => {
      const now = performance.now();
      position += still ? ALL / STEPS : (ALL * (now - before)) / PLAY_MS;
      before = now;
      go(position);
      if (position >= ALL) return stop();
      playing = still ? window.setTimeout(on, STILL_MS) : requestAnimationFrame(on);
    };
    playing = still ? window.setTimeout(on, STILL_MS) : requestAnimationFrame(on);
  };
  const toggle = () => {
    if (playing) stop();
    else if (/** @type {Clock | null} */ (cell("clock"))?.span) start();
  };

  /** @param {number} by */
  const move = (by) => { // keys may come faster than the kernel answers
    const at = performance.now() - aimedAt < LATE_MS ? aimed : found()?.row ?? 0;
    pickRow(at + by);
  };
  const screen = () => Math.floor(list.clientHeight / ROW_PX);
  /** @type {Record<string, () => void>} */
  const listKeys = {
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    PageDown: () => move(screen()),
    PageUp: () => move(-screen()),
    Home: () => pickRow(0),
    End: () => pickRow(ALL * ALL),
    " ": toggle,
  };
  /** @param {number} by */
  const turn = (by) => { if (playing) stop(); go(Number(range.value) + by); };
  /** @type {Record<string, () => void>} */
  const clockKeys = {
    ArrowRight: () => turn(10),
    ArrowUp: () => turn(10),
    ArrowLeft: () => turn(-10),
    ArrowDown: () => turn(-10),
    PageUp: () => turn(100),
    PageDown: () => turn(-100),
    Home: () => turn(-ALL),
    End: () => turn(ALL),
    " ": toggle,
  };
  /** @param {HTMLElement} where @param {Record<string, () => void>} keys */
  const keyed = (where, keys) => where.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
  keyed(list, listKeys);
  keyed(range, clockKeys);
  keyed(map.field, { " ": toggle });
  card.card.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target === ask || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    ask.focus();
    ask.select();
  });
  ask.addEventListener("input", () => {
    typedAt = performance.now();
    typing.tell(ask.value);
  });
  own.sort.addEventListener("change", () => model.send({ type: "sort", name: own.sort.value }));
  own.way.addEventListener("change", () => model.send({ type: "map", name: own.way.value }));
  list.addEventListener("scroll", look, { passive: true });
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
    for (const each of [going, seeing, typing, pointing]) each.stop();
    map.leave();
    lane.leave();
    card.leave();
    card.card.remove();
  };
}

export default { render };
