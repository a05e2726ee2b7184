/**
 * Redirects imports of `typescript` to TypeScript 6; preloaded for dependency-cruiser, which needs the compiler API that TypeScript 7 no longer has.
 */
import { registerHooks } from "node:module"

import.meta.resolve("typescript-6") // without it, dependency-cruiser would skip every .ts file and report nothing

registerHooks({
  resolve: (specifier, context, next) =>
    /^typescript(\/|$)/.test(specifier)
      ? next(specifier.replace("typescript", "typescript-6"), { ...context, parentURL: import.meta.url })
      : next(specifier, context)
})
