/**
 * Loaded before dependency-cruiser, which reads TypeScript through the compiler's API that TypeScript 7 no longer has: it gets the one of 6.
 */
import { registerHooks } from "node:module"

import.meta.resolve("typescript-6") // without it, dependency-cruiser would pass over every .ts and find nothing wrong

registerHooks({
  resolve: (specifier, context, next) =>
    /^typescript(\/|$)/.test(specifier)
      ? next(specifier.replace("typescript", "typescript-6"), { ...context, parentURL: import.meta.url })
      : next(specifier, context)
})
