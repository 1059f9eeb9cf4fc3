import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Two builds of one source: the page (`vite build`), and the module that another console mounts.
export default defineConfig(({ mode }) => ({
  plugins: [react()],
  base: mode === "module" ? "./" : "/",
  // A library's build leaves this to its user, and a browser that imports the module has no `process`.
  define: mode === "module" ? { "process.env.NODE_ENV": JSON.stringify("production") } : {},
  build:
    mode === "module"
      ? {
          outDir: "dist/module",
          minify: true,
          lib: { entry: "src/mount.tsx", formats: ["es" as const], fileName: () => "managed-tables-console.js" },
        }
      : { outDir: "dist/page", modulePreload: { polyfill: false } },
}));
