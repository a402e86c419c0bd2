// Bundle each view, with the sheet, into the package; --check fails where that would change a byte.
import { readFile, readdir, writeFile } from "node:fs/promises";
import { build, transform } from "esbuild";

const OUT = new URL("../agentlab/static/", import.meta.url);

const SOURCES = new URL("src/", import.meta.url);
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

/** The sheet as text, as far as the sources name its classes. */
const sheet = {
  name: "sheet",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const files = (await readdir(SOURCES, { recursive: true })).filter((name) => name.endsWith(".js"));
      const texts = await Promise.all(files.map((name) => readFile(new URL(name, SOURCES), "utf8")));
      const used = new Set(texts.join("\n").match(CLASSES));
      const css = needed(await readFile(path, "utf8"), used);
      const { code } = await transform(css, { loader: "css", minify: true, charset: "utf8" });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

for (const view of ["run_view"]) {
  const { outputFiles: [bundle] } = await build({
    absWorkingDir: import.meta.dirname,
    banner: { js: `// Made by widgets/build.mjs from widgets/src/${view}.js: do not edit.` },
    bundle: true,
    charset: "utf8",
    entryPoints: [`src/${view}.js`],
    format: "esm",
    legalComments: "none",
    minify: true,
    plugins: [sheet],
    target: "es2022",
    write: false,
  });
  const file = new URL(`${view}.js`, OUT);
  if (!process.argv.includes("--check")) await writeFile(file, bundle.text);
  else if ((await readFile(file, "utf8")) !== bundle.text) throw new Error(`${view}.js is stale: npm run build`);
}
