// Made from agentlab/widgets/messages.py by widgets/messages.py: do not edit.

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

/** What came out: an answer, or an error. */
export interface End {
  label: string;
  text: string;
}
