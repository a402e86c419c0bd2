// @ts-check
import { company } from "./lib/company.js";
import { h, say } from "./lib/dom.js";
import { hue } from "./lib/hues.js";
import { seats } from "./lib/seats.js";
import { session } from "./lib/turn.js";

/** @import { Flight, Load, Member, Network, Option, Turned } from "./messages.js" */

/**
 * An agent in the list: how it stands, and the end of what it says.
 * @param {string} name
 * @param {string} role
 * @param {() => void} pick
 */
function member(name, role, pick) {
  const mark = h("span", "agl-mark"), said = h("bdi"), word = h("span", "agl-stands");
  const act = h("button", "agl-member", mark, h("b", "agl-clip", name), h("span", "agl-came agl-clip", said), word);
  mark.ariaHidden = "true"; // the word says the same
  act.type = "button";
  act.addEventListener("click", pick);
  /**
   * @param {Member} news
   * @param {boolean} on
   */
  const paint = (news, on) => {
    const cls = `agl-member ${news.hue < 0 ? news.status : hue(news.hue)} ${news.status === "failed" ? "failed" : ""}`.trim();
    if (act.className !== cls) act.className = cls;
    if (act.ariaExpanded !== String(on)) act.ariaExpanded = String(on);
    say(mark, news.mark);
    say(said, news.said);
    say(word, news.word);
    act.title = `${role}, ${news.traffic}`;
  };
  return { act, paint };
}

const render = company((body, kernel, soon) => {
  /** @type {Network | null} */
  let net = null;
  /** @type {ReturnType<typeof seats> | null} */
  let picture = null;
  /** @type {ReturnType<typeof member>[]} */
  let rows = [];
  let picked = -1;
  const list = h("div", "agl-members"), split = h("div", "agl-split agl-team");
  const counted = h("span"), stack = h("div", "agl-stack"), votes = h("div", "agl-votes", counted, stack);
  const turn = session(() => pick(picked));
  list.role = "group";
  list.ariaLabel = "the agents: each shows its session";

  /** @param {number} no */
  const pick = (no) => {
    const before = picked;
    picked = no === picked ? -1 : no;
    if (picked < 0) {
      if (turn.el.contains(document.activeElement)) rows[before]?.act.focus();
      turn.el.remove();
    } else {
      kernel.send({ type: "open", no: picked });
      if (!turn.el.parentNode) body.append(turn.el);
    }
    soon();
  };
  /** @param {Network} news */
  const draw = (news) => {
    net = news;
    picture = seats(news, pick);
    rows = news.seats.map(({ name, role }, i) => member(name, role, () => pick(i)));
    list.replaceChildren(...rows.map(({ act }) => act));
    split.replaceChildren(...(news.seats.length > 1 ? [picture.el] : []), h("div", "", list, votes));
    body.prepend(split);
  };
  /** @param {Option[]} options */
  const count = (options) => {
    say(counted, `votes ${options.map(({ text, votes: times }) => `${text} ${times}`).join(" · ")}`);
    stack.replaceChildren(...options.map(({ votes: times, hue: shade }) => {
      const part = h("i", hue(shade));
      part.style.flexGrow = String(times);
      return part;
    }));
  };
  let told = "";

  return (cell) => {
    const news = /** @type {Network | null} */ (cell("net"));
    if (!news) return;
    if (news !== net) draw(news);
    /** @param {number} i */
    const of = (i) => /** @type {Member | null} */ (cell(`member${i}`));
    picture?.paint(of, (k) => /** @type {Load | null} */ (cell(`load${k}`)), /** @type {Flight[] | null} */ (cell("flights")), picked);
    rows.forEach((each, i) => {
      const one = of(i);
      if (one) each.paint(one, i === picked);
    });
    const options = /** @type {Option[]} */ (cell("votes") ?? []), written = JSON.stringify(options);
    votes.hidden = !options.length;
    if (written !== told) told = written, count(options);
    if (picked >= 0) turn.paint(news.seats[picked]?.name ?? "", /** @type {Turned | null} */ (cell(`turn${picked}`)));
  };
});

export default { render };
