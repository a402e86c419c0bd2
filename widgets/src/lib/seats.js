// @ts-check
import { s } from "./chart.js";
import { h, say } from "./dom.js";
import { hue } from "./hues.js";

/** @import { Flight, Load, Member, Network } from "../messages.js" */

const FLIGHT_MS = 900;
const HOLLOW = -1; // the hue of who has not answered

/**
 * The messages that were sent since the last look, as far as that is known.
 * @param {Flight[]} flights
 * @param {number} seen  the last one that was; below zero nobody has looked yet
 */
export function fresh(flights, seen) {
  const last = flights.at(-1)?.no ?? 0;
  return { due: seen < 0 ? [] : flights.filter(({ no }) => no > seen), seen: Math.max(last, seen, 0) };
}

/**
 * How often a way was gone, for its middle.
 * @param {Load | null} load
 */
export const loaded = (load) => (load ? String(load.there + load.back) : "");

/**
 * Agents in their places, what they are called, and the messages between them.
 * @param {Network} net
 * @param {(no: number) => void} pick
 */
export function seats(net, pick) {
  const field = s("g", { class: "agl-air" });
  /** @type {SVGElement[]} */
  const ways = net.ways.map(({ a, b }) => {
    const from = net.seats[a], to = net.seats[b];
    return s("line", { class: "agl-edge", x1: `${from?.x}%`, y1: from?.y ?? 0, x2: `${to?.x}%`, y2: to?.y ?? 0 });
  });
  const counts = net.ways.map(({ x, y, roomy }) => s("text", { class: `agl-halo agl-tick${roomy ? " agl-roomy" : ""}`, x: `${x}%`, y, "text-anchor": "middle", "font-size": 11 }));
  const spots = net.seats.map(({ name, role, x, y, r }, i) => {
    const told = s("title", {}, `${name}, ${role}`);
    const ring = s("circle", { class: "agl-thinks", cx: `${x}%`, cy: y, r: r + 3 });
    const dot = s("circle", { class: "agl-seat", cx: `${x}%`, cy: y, r }, told);
    const el = s("g", { class: "agl-g5" }, ring, dot);
    el.addEventListener("click", () => pick(i));
    return { el, told, status: "none" };
  });
  const names = net.seats.map(({ label, left, top, anchor, dx, roomy }) => s("text", { class: `agl-halo agl-name-of${roomy ? " agl-roomy" : ""}`, x: `${left}%`, y: top, dx, "text-anchor": anchor || "middle", "font-size": 11 }, label));
  const picture = s("svg", { width: "100%", height: net.tall, role: "img", "aria-label": net.title }, ...ways, field, ...spots.map(({ el }) => el), ...names, ...counts.filter((_, k) => (net.ways[k]?.y ?? -1) >= 0));
  const numbers = net.ways.some(({ y }) => y >= 0) ? " · numbers: messages" : "";
  const caption = h("figcaption", "agl-small", net.more || `colour: answer${numbers} · click an agent for its session`);
  const el = h("figure", "agl-plot", picture, caption);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  let seen = -1;

  /** @param {Flight} flight */
  const fly = ({ a, b }) => {
    const from = net.seats[a], to = net.seats[b];
    if (!from || !to) return;
    const dot = s("circle", { class: "agl-flies", cx: `${from.x}%`, cy: from.y, r: 4 });
    field.append(dot);
    const way = [{ cx: `${from.x}%`, cy: `${from.y}px` }, { cx: `${to.x}%`, cy: `${to.y}px` }];
    dot.animate(way, { duration: FLIGHT_MS, easing: "ease-in-out" }).onfinish = () => dot.remove();
  };

  return {
    el,
    /**
     * @param {(i: number) => Member | null} member
     * @param {(k: number) => Load | null} load
     * @param {Flight[] | null} flights
     * @param {number} picked
     */
    paint(member, load, flights, picked) {
      spots.forEach((spot, i) => {
        const news = member(i);
        if (!news) return;
        const shade = news.hue === HOLLOW && news.status === "running" ? 0 : news.hue;
        const cls = `${hue(shade)} ${news.status} ${news.hue === HOLLOW ? "hollow" : ""} ${i === picked ? "on" : ""}`;
        if (cls !== spot.status) spot.el.setAttribute("class", spot.status = cls);
        const seat = net.seats[i];
        say(spot.told, `${seat?.name}, ${seat?.role}: ${news.word}, ${news.traffic}`);
      });
      counts.forEach((count, k) => {
        const news = load(k);
        say(count, loaded(news));
        ways[k]?.setAttribute("class", news ? "agl-edge gone" : "agl-edge");
      });
      const flown = fresh(flights ?? [], seen);
      seen = flown.seen;
      if (!still && !document.hidden) flown.due.forEach(fly);
    },
  };
}
