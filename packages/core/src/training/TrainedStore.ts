/**
 * Trained circuits stored in folders: the output of a run, and the input of export, prediction and plots.
 */
import { Effect } from "effect"
import * as Circuit from "../circuit/Circuit.ts"
import * as CircuitSpec from "../circuit/CircuitSpec.ts"
import type { TrainedContent } from "../schema/TrainedContent.ts"
import * as Archive from "./Archive.ts"
import type { Trained } from "./Trained.ts"

const kind: Archive.Kind<TrainedContent> = {
  name: "circuit",
  version: 1,
  schema: Effect.promise(() => import("../schema/TrainedContent.ts").then(({ TrainedContent }) => TrainedContent))
}

/** Saves a trained circuit to a folder; fails with `CircuitInvalid` where it has a stage of your own, which `load` could not build. */
export const save = (folder: string, trained: Trained) => {
  const { circuit, classNames, inputNames, origin, parameters, preprocessing, task } = trained
  const content = { circuit: CircuitSpec.toJson(circuit), task, preprocessing, inputNames, classNames, origin }
  return Effect.andThen(CircuitSpec.fromJson(content.circuit), Archive.write(kind, folder, content, parameters))
}

/** Loads a trained circuit from a folder; fails with `ArchiveInvalid` where it cannot be used. */
export const load = Effect.fn("TrainedStore.load")(function* (folder: string) {
  const { arrays, content } = yield* Archive.read(kind, folder)
  const circuit = yield* CircuitSpec.fromJson(content.circuit)
  for (const [name, { shape }] of Object.entries(Circuit.parameters(circuit))) {
    if (arrays[name]?.shape.join() === shape.join()) continue
    return yield* new Archive.ArchiveInvalid({
      file: `${folder}/circuit.json`,
      expected: `a parameter «${name}» [${shape.join()}]`,
      came: arrays[name] === undefined ? "it is missing" : `[${arrays[name].shape.join()}] came`,
      advice: "train again into an empty folder"
    })
  }
  const trained: Trained = { ...content, circuit, parameters: arrays }
  return trained
})
