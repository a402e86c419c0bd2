// Made from agentlab/widgets/*messages.py by widgets/messages.py: do not edit.

/** Whose run it is, what was asked, and since when, in milliseconds of this machine's clock. */
export interface Head {
  agent: string;
  asked: string;
  began: number;
}

/** How it stands: the chip, the figures, and how much there is of everything else. */
export interface Now {
  live: boolean;
  hue: string;
  word: string;
  figures: string[];
  steps: number;
  gap: string;
  longest: number;
  turn: number;
  pieces: number;
  below: number;
}

/** A text of a step under its name, and its Python path. */
export interface Words {
  hue: string;
  name: string;
  text: string;
  path: string;
}

/** A step that is over: what was called, what came back, how long it took, and all inside. */
export interface Step {
  tool: string;
  did: string;
  came: string;
  bad: boolean;
  ms: number;
  took: string;
  texts: Words[];
}

/** A run below: how deep, whose, how it stands, and the end of what it says. */
export interface Child {
  depth: number;
  name: string;
  hue: string;
  word: string;
  said: string;
}

/** A call that waits for a person: whose, of what, with what.

    ``fixed`` says why the arguments cannot be changed here, ``wrong`` what was wrong with the last
    answer, and ``tries`` the how-manieth that was.
     */
export interface Question {
  agent: string;
  tool: string;
  args: string;
  fixed: string;
  wrong: string;
  tries: number;
}

/** What came out: an answer, or an error. */
export interface End {
  label: string;
  text: string;
}

/** The header line of an explorer: what it is, how it stands, the figures; its Python path. */
export interface Title {
  kind: string;
  name: string;
  path: string;
  hue: string;
  word: string;
  figures: string[];
}

/** A figure, and what it was in the moments before; the newest last, at most ``room`` of them.

    Where it was not known there is -1.
     */
export interface Tile {
  name: string;
  now: string;
  most: string;
  values: number[];
  room: number;
}

/** How many there are of each size; ``under`` is short, ``spans`` says the same in words. */
export interface Bars {
  title: string;
  path: string;
  under: string[];
  spans: string[];
  counts: number[];
}

/** What stands in a table: a text, ``code`` or a ``call``; or one beside a bar, of a hue. */
export interface Bit {
  text: string;
  bar: number;
  hue: string;
}

/** A table: the name and the class of each column, and the rows. */
export interface Grid {
  caption: string;
  path: string;
  columns: string[];
  classes: string[];
  rows: Bit[][];
}

/** Tokens that follow each other: as they are drawn, their log p, or 1 where it is not known.

    ``others`` are the model's alternatives, written out, and ``likely`` the log p of each, the
    likeliest first; where they were not told, ``told`` is false.
     */
export interface Tokens {
  texts: string[];
  logs: number[];
  others: string[][];
  likely: number[][];
  told: boolean[];
}

/** What was said in a step: its first token, what was done and came of it, how sure that was.

    Its parts begin at ``starts``, and each has a hue and a name.
     */
export interface Spoken {
  no: number;
  first: number;
  did: string;
  came: string;
  bad: boolean;
  sure: number;
  right: string;
  path: string;
  starts: number[];
  hues: string[];
  names: string[];
}

/** How much was heard, in how many pieces and steps; where in Python; what to say if nothing.

    Of a run that goes on, what was asked.
     */
export interface Heard {
  live: boolean;
  asked: string;
  pieces: number;
  steps: number;
  root: string;
  empty: string;
}

/** The token that is selected, what counts as doubtful, in percent, and the step that is shown.

    -1 is none, or all. ``by`` is the page that chose.
     */
export interface Chosen {
  at: number;
  below: number;
  step: number;
  by: string;
}

/** A kind of what there is in a trace, how often it is there, and whether it is wanted. */
export interface Kind {
  name: string;
  count: string;
  on: boolean;
}

/** How far one has travelled: entries heard, of how many, seconds, and all of it in words. */
export interface Moment {
  heard: number;
  entries: number;
  at: number;
  span: number;
  words: string;
  said: string;
}

/** How many rows there are; which row and span is selected; what is sought, how many have it. */
export interface Rows {
  total: number;
  row: number;
  span: number;
  find: string;
  found: number;
}

/** Which spans are the rows from ``start`` on, as far as one page sees them. */
export interface Window {
  start: number;
  spans: number[];
}

/** A span as a row: what it is, from when to when (-1: it is not over), and in which entries.

    ``below`` is -1 where nothing is below it, 0 where that is folded away, and else 1.
     */
export interface Line {
  level: number;
  below: number;
  hue: string;
  name: string;
  gist: string;
  word: string;
  took: string;
  start: number;
  end: number;
  first: number;
  last: number;
}

/** What is selected, in a line and some notes, as it was at the moment; its Python path. */
export interface Detail {
  hue: string;
  label: string;
  name: string;
  gist: string;
  chip: string;
  word: string;
  notes: string[];
  path: string;
}

/** The last steps that there had been, the how-manieth the first of them is, and the others. */
export interface Steps {
  first: number;
  steps: Step[];
  before: string;
}

/** What a model was asked: what it had seen, ``gap`` standing for its middle; what is new.

    ``more`` says that there is more of it, to be asked for.
     */
export interface Prompt {
  system: string;
  start: string;
  gap: string;
  end: string;
  added: string;
  note: string;
  more: boolean;
  path: string;
}

/** What is asked of a memory, in which order the items are, and how the map is made. */
export interface Search {
  query: string;
  by: string;
  sort: string;
  sorts: string[];
  way: string;
  ways: string[];
}

/** How far ahead one looks, in thousandths of ``span`` hours, and what will have become then.

    ``span`` is 0 where no time passes. An item is worth ``worth * exp(-age / tau)``; it is gone
    where that is below ``floor``, if the memory ``forgets``, or where it is older than ``limit``.
     */
export interface Clock {
  at: number;
  ahead: number;
  span: number;
  words: string;
  tau: number;
  limit: number;
  floor: number;
  forgets: boolean;
}

/** How many items are listed, which is selected and where in the list it is; all in words. */
export interface Found {
  total: number;
  row: number;
  no: number;
  said: string;
  rule: string;
  empty: string;
}

/** An item as a row: its beginning, whose it is; the bar, or -1, and what it says; how faded. */
export interface Memory {
  text: string;
  agent: string;
  share: number;
  now: string;
  left: number;
  hit: boolean;
}

/** Some of the dots of a map, in thousandths of it; what each was worth, and its age in hours.

    Where nothing is weighed, all are worth 1.
     */
export interface Dots {
  xs: number[];
  ys: number[];
  worth: number[];
  ages: number[];
}

/** What the places of a map are about, and what is going on with it. */
export interface Spots {
  names: string[];
  xs: number[];
  ys: number[];
  dots: number;
  note: string;
}

/** Where a question is on the map, or -1; which items would be recalled; which are listed.

    ``lit`` has a letter an item: 1 is listed, 0 is not; it is empty where all are.
     */
export interface Marks {
  x: number;
  y: number;
  asks: boolean;
  hits: number[];
  lit: string;
}

/** The item that is selected, and each term of its score: in words, as a share, in a hue. */
export interface Why {
  text: string;
  tags: string[];
  score: string;
  terms: string[];
  shares: number[];
  hues: string[];
  notes: string[];
  path: string;
  gone: string;
}

/** What an item on the map says, for whoever points at it. */
export interface Hint {
  no: number;
  text: string;
}

/** A part: its label, who does it, how deep it is; in a picture its outline, and its corner. */
export interface PlanPart {
  label: string;
  who: string;
  depth: number;
  outline: string;
  x: number;
  y: number;
  tall: number;
}

/** A word in the picture. */
export interface PlanSign {
  text: string;
  x: number;
  y: number;
}

/** A chart: a ``list``, a ``tree`` or a ``flow``, which has a picture of lines and arrows.

    ``turn`` counts the charts of a run; ``more`` says what is left out.
     */
export interface Plan {
  turn: number;
  shape: string;
  title: string;
  parts: PlanPart[];
  more: string;
  wide: number;
  tall: number;
  ways: string;
  back: string;
  heads: string;
  signs: PlanSign[];
}

/** How a part stands: its mark, the word for it, and what came of it, or why. */
export interface PlanMark {
  status: string;
  mark: string;
  word: string;
  said: string;
}

/** How much there is to draw, in how many pieces; what kinds and communities are called.

    ``tall`` is the height in pixels, ``note`` says what is left out, ``empty`` that there is none.
     */
export interface Plot {
  version: number;
  nodes: number;
  arcs: number;
  lots: number;
  parts: number;
  kinds: string[];
  groups: string[];
  sizes: number[];
  tall: number;
  note: string;
  empty: string;
}

/** Entities, the best connected first: names, kinds, places, links, and communities. */
export interface Nodes {
  version: number;
  names: string[];
  tags: string[];
  xs: number[];
  ys: number[];
  links: number[];
  groups: number[];
}

/** The betweenness of all entities, once it is known. */
export interface Between {
  version: number;
  values: number[];
}

/** Edges: from which entity to which, and of what kind, all by number. */
export interface Arcs {
  version: number;
  tails: number[];
  heads: number[];
  kinds: number[];
}

/** What is looked at, by number, where -1 is nothing; how it is drawn; all of it in words.

    ``by`` is the page that asked last, and ``turn`` the how-manieth time it did.
     */
export interface Gaze {
  node: number;
  arc: number;
  focus: number;
  start: number;
  goal: number;
  path: number[];
  size: string;
  colour: boolean;
  labels: boolean;
  said: string;
  by: string;
  turn: number;
}

/** Entities that one kind of edge leads to, or comes from, by number and by name. */
export interface Kin {
  kind: string;
  out: boolean;
  nos: number[];
  names: string[];
  more: string;
}

/** What is known of the selected thing; ``between`` is -1 where nobody has counted that. */
export interface About {
  name: string;
  tag: string;
  names: string[];
  values: string[];
  links: number;
  between: number;
  share: number;
  kin: Kin[];
  path: string;
}

/** Whether it goes on, and since when, in milliseconds of this machine's clock. */
export interface Going {
  live: boolean;
  began: number;
}

/** Who argues, and for what. */
export interface Debater {
  name: string;
  position: string;
}

/** What somebody says: it ``runs`` while it is said; ``bad`` is why nothing was. */
export interface Speech {
  text: string;
  runs: boolean;
  bad: boolean;
}

/** An agent in a picture, percent across and pixels down, and where its name stands. */
export interface Seat {
  name: string;
  role: string;
  x: number;
  y: number;
  r: number;
  label: string;
  left: number;
  top: number;
  anchor: string;
  dx: number;
  roomy: boolean;
}

/** Two agents that may hear each other, and where there is room to say how often. */
export interface Way {
  a: number;
  b: number;
  x: number;
  y: number;
  roomy: boolean;
}

/** Who may hear whom, drawn: how high the picture is, and what it is called. */
export interface Network {
  tall: number;
  title: string;
  seats: Seat[];
  ways: Way[];
  more: string;
}

/** How an agent stands: a mark and a word, what it says or said, and what went to and fro. */
export interface Member {
  status: string;
  mark: string;
  word: string;
  said: string;
  hue: number;
  traffic: string;
  turns: number;
}

/** The session of an agent as far as it has got: what it was asked, its last steps, its end.

    ``label`` names what came out, if it is over.
     */
export interface Turned {
  name: string;
  turn: string;
  path: string;
  asked: string;
  steps: Step[];
  first: number;
  said: string;
  runs: boolean;
  label: string;
  text: string;
}

/** How many messages went along a way, to either end. */
export interface Load {
  there: number;
  back: number;
}

/** A message that was just sent: the how-manieth, from whom, and to whom. */
export interface Flight {
  no: number;
  a: number;
  b: number;
}

/** An answer that somebody gave: how many others gave the same, and its hue. */
export interface Option {
  text: string;
  votes: number;
  hue: number;
}

/** A part of the work: whose, what, how it stands, and what comes of it. */
export interface Portion {
  agent: string;
  what: string;
  status: string;
  mark: string;
  word: string;
  said: string;
  took: string;
  tried: string;
  after: boolean;
}

/** How many parts there are, and how many have to succeed; how many ended how; in words. */
export interface Quorum {
  total: number;
  needed: number;
  done: number;
  failed: number;
  cancelled: number;
  words: string;
  more: string;
}
