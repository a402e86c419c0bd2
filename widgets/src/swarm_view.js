// @ts-check
import { company, growing } from "./lib/company.js";
import { h, say } from "./lib/dom.js";
import { share } from "./lib/share.js";

/** @import { Portion, Quorum, Speech } from "./messages.js" */

/**
 * A part of the work, on a line that makes sense alone; all of it inside.
 * @param {number} no
 */
function portion(no) {
  const mark = h("span", "agl-mark"), agent = h("b", "agl-name"), what = h("span", "agl-clip"), said = h("bdi");
  const arrow = h("span", "agl-dim", "→"), word = h("span", "agl-stands"), whole = h("span", "agl-whole"), came = growing();
  mark.ariaHidden = "true"; // the word says the same
  const head = h("summary", "", h("span", "agl-no", String(no + 1)), mark, h("span", "agl-tells", agent, " ", what, " ", arrow, " ", h("span", "agl-came agl-clip", said)), word);
  const body = h("div", "agl-body", h("span", "agl-label", "subtask"), whole, h("span", "agl-label", "output"), h("pre", "agl-pre", came.el));
  const li = h("li", "agl-portion", h("details", "", head, body));
  /** @param {Portion} news */
  const paint = (news) => {
    const cls = `agl-portion agl-part-of ${news.status}`.trim();
    if (li.className !== cls) li.className = cls;
    say(mark, news.mark);
    say(agent, news.agent);
    say(what, `${news.after ? "↳ " : ""}${news.what}`);
    say(whole, news.what);
    say(said, news.said);
    arrow.hidden = !news.said;
    came.paint(news.said, news.status === "running");
    say(word, [news.tried, news.word, news.took].filter(Boolean).join(" · "));
  };
  return { li, paint };
}

const render = company((body) => {
  const words = h("span"), stack = h("div", "agl-stack"), line = h("i", "agl-needed");
  const bar = h("div", "agl-reach", stack, line), quorum = h("div", "agl-votes agl-quorum", words, bar);
  const list = h("ul", "agl-steps agl-low"), more = h("li", "agl-gap");
  const mod = growing(), facts = h("dl", "agl-qa", h("dt", "", "synthesis"), h("dd", "", mod.el));
  list.tabIndex = 0; // what scrolls can be scrolled by keyboard
  list.ariaLabel = "the parts of the task";
  bar.role = "progressbar";
  bar.ariaLabel = "how many of those needed have succeeded";
  /** @type {ReturnType<typeof portion>[]} */
  const rows = [];
  /** @type {Quorum | null} */
  let told = null;

  /** @param {Quorum} news */
  const count = (news) => {
    told = news;
    say(words, news.words);
    [bar.ariaValueMin, bar.ariaValueMax, bar.ariaValueNow] = ["0", String(news.needed), String(Math.min(news.needed, news.done))];
    stack.replaceChildren(...share(news).map(({ hue, percent }) => {
      const part = h("i", hue);
      part.style.width = `${percent}%`;
      return part;
    }));
    line.style.left = `${(100 * news.needed) / Math.max(1, news.total)}%`;
    line.hidden = !news.needed || news.needed === news.total;
    line.title = `${news.needed} are needed`;
    say(more, news.more);
    if (news.more) list.append(more);
  };

  return (cell) => {
    const news = /** @type {Quorum | null} */ (cell("quorum"));
    if (!news) return;
    if (!list.parentNode) body.append(quorum, list);
    if (news !== told) count(news);
    for (let i = 0; ; i++) {
      const one = /** @type {Portion | null} */ (cell(`part${i}`));
      if (!one) break;
      const row = rows[i] ?? (rows[i] = portion(i));
      if (!row.li.parentNode) list.insertBefore(row.li, more.parentNode && more);
      row.paint(one);
    }
    const last = /** @type {Speech | null} */ (cell("mod"));
    if (!last) return;
    if (!facts.parentNode) body.append(facts);
    mod.paint(last.text, last.runs, last.bad ? "agl-bad" : "");
  };
});

export default { render };
