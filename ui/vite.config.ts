import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

// What is in the bundle; their licences ask to be told wherever it goes.
const BUNDLED = [
  "preact",
  "@preact/signals",
  "@preact/signals-core",
  "openapi-fetch",
  "@fontsource-variable/inter",
];

function licences(): Plugin {
  return {
    name: "licences",
    generateBundle() {
      const texts = BUNDLED.map((name) => {
        const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
        return `${name} ${version}\n\n${readFileSync(`node_modules/${name}/LICENSE`, "utf8").trim()}\n`;
      });
      this.emitFile({ type: "asset", fileName: "licences.txt", source: texts.join("\n\n") });
    },
  };
}

export default defineConfig({
  // Relative addresses: the page works behind any prefix.
  base: "./",
  plugins: [licences()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: process.env.GROUPSVC_UI_OUT ?? "../src/groupsvc/ui",
    emptyOutDir: true,
    target: "es2022",
    // An address of data: would need an exception from the policy of the page.
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
  },
});
