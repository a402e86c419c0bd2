// Bundle each view, with the sheet, into the package; --check fails where that would change a byte.
import { readFile, readdir, writeFile } from "node:fs/promises";
import { build, transform } from "esbuild";

const OUT = new URL("../agentlab/static/", import.meta.url);
const HERE = new URL("./", import.meta.url);
const NESTED = ".agl.agl.agl {";
const CLASSES = /\bagl-[\w-]+/g;

/**
 * The lines of the sheet that a view needs: those without a class, and those with one of its own.
 * @param {string} text
 * @param {Set<string>} used
 */
function needed(text, used) {
  const lines = text.replace(/\/\*.*?\*\//gs, "").split("\n");
  const start = lines.indexOf(NESTED) + 1;
  const wanted = lines.slice(start).filter((line) => {
    const classes = line.match(/\.agl-[\w-]+/g) ?? [];
    return !classes.length || classes.some((name) => used.has(name.slice(1)));
  });
  return [...lines.slice(0, start), ...wanted].join("\n");
}

/**
 * The sheet as text, as far as `sources` name its classes.
 * @param {string[]} sources
 */
const sheet = (sources) => ({
  name: "sheet",
  /** @param {import("esbuild").PluginBuild} build */
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const texts = await Promise.all(sources.map((name) => readFile(new URL(name, HERE), "utf8")));
      const used = new Set(texts.join("\n").match(CLASSES));
      const css = needed(await readFile(path, "utf8"), used);
      const { code } = await transform(css, { loader: "css", minify: true, charset: "utf8" });
      return { contents: code.trim(), loader: "text" };
    });
  },
});

/** @param {string} view */
const options = (view) => /** @type {const} */ ({
  absWorkingDir: import.meta.dirname,
  bundle: true,
  charset: "utf8",
  entryPoints: [`src/${view}.js`],
  format: "esm",
  legalComments: "none",
  minify: true,
  target: "es2022",
  write: false,
});

for (const name of (await readdir(new URL("src/", HERE))).filter((file) => file.endsWith(".js"))) {
  const view = name.slice(0, -3);
  const { metafile } = await build({ ...options(view), loader: { ".css": "empty" }, metafile: true });
  const foreign = Object.keys(metafile.inputs).filter((file) => file.includes("node_modules"));
  if (foreign.length) throw new Error(`${foreign[0]} is not ours: what is bundled needs its notice beside the bundle`);
  const sources = Object.keys(metafile.inputs).filter((file) => file.endsWith(".js"));
  const { outputFiles: [bundle] } = await build({
    ...options(view),
    banner: { js: `// Made by widgets/build.mjs from widgets/src/${name}: do not edit.` },
    plugins: [sheet(sources)],
  });
  const file = new URL(name, OUT);
  if (!process.argv.includes("--check")) await writeFile(file, bundle.text);
  else if ((await readFile(file, "utf8")) !== bundle.text) throw new Error(`${name} is stale: npm run build`);
}
