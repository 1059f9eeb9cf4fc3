import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Two builds of one source: the page (`vite build`), and the module that another console mounts.
export default defineConfig(({ mode }) => ({
  plugins: [react()],
  base: mode === "module" ? "./" : "/",
  build:
    mode === "module"
      ? {
          outDir: "dist/module",
          lib: { entry: "src/mount.tsx", formats: ["es" as const], fileName: () => "managed-tables-console.js" },
        }
      : { outDir: "dist/page", modulePreload: { polyfill: false } },
}));
