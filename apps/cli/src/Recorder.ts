/**
 * Writes a run's events for TensorBoard. If the folder can no longer be written to, the recording ends and the run goes on.
 */
import type { TrainingEvent } from "@rai/core"
import { Picture } from "@rai/plots"
import { EventFile, TensorBoard } from "@rai/tensorboard"
import { Effect } from "effect"
import type * as Figures from "./Figures.ts"
import * as Report from "./Report.ts"

/** Makes a recorder that writes event files into a folder; without a folder it does nothing. */
export const make = Effect.fn("Recorder.make")(function* (folder: string | undefined, after: number | undefined) {
  if (folder === undefined) return { event: () => Effect.void, figures: () => Effect.void }
  const service = yield* EventFile.make({ folder, after })
  let lost = false
  const unlessLost = <E extends { readonly message: string }>(writing: Effect.Effect<void, E, EventFile.EventFile>) =>
    Effect.suspend(() => (lost ? Effect.void : Effect.provideService(writing, EventFile.EventFile, service))).pipe(
      Effect.catch((error: E) => {
        lost = true
        return Report.progress(`warning: ${error.message}; the run goes on without TensorBoard`)
      })
    )
  const image = Effect.fnUntraced(function* (step: number, { name, svg }: Figures.Figure) {
    yield* service.image(step, name, yield* Picture.png(svg))
  })
  return {
    event: (event: TrainingEvent.TrainingEvent) => unlessLost(TensorBoard.write(event)),
    figures: (step: number, figures: ReadonlyArray<Figures.Figure>) =>
      unlessLost(Effect.forEach(figures, (figure) => image(step, figure), { discard: true }))
  }
})
