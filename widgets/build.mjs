// Bundle each view, with the sheet, into the package; --check fails where that would change a byte.
import { readFile, writeFile } from "node:fs/promises";
import { build, transform } from "esbuild";

const OUT = new URL("../agentlab/static/", import.meta.url);

/** The sheet as text, without what only its readers need. */
const sheet = {
  name: "sheet",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true, charset: "utf8" });
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
