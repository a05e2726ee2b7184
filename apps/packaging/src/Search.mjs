/**
 * What the API reference's search finds: every export under its qualified name too, `Training.fit`, and once, not again in the packages that use it.
 */
import { Converter, IndexEvent } from "typedoc"

/** The module of the types that a package's declarations name but another one exports; `internalModule` in typedoc.json. */
const elsewhere = "Also named"

/** @param {import("typedoc").Reflection | undefined} of @returns {boolean} */
const isElsewhere = (of) => of !== undefined && (of.name === elsewhere || isElsewhere(of.parent))

/** @param {import("typedoc").Application} app */
export const load = (app) => {
  // A package of several entries has a module for each, the first without a name.
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    for (const each of Object.values(project.reflections)) if (each.name === "") each.name = "."
  })
  app.renderer.on(IndexEvent.PREPARE_INDEX, (event) => {
    for (let i = event.searchResults.length - 1; i >= 0; i--) {
      const found = event.searchResults[i]
      if (isElsewhere(found)) event.removeResult(i)
      else event.searchFields[i].name = `${found.name} ${found.parent?.name}.${found.name}`
    }
  })
}
