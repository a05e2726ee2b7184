import { Engine as Core, ReferenceEngine } from "@rai/core"
import { Context, Effect, Layer } from "effect"

/** The reference engine, with counts of how often it and its sessions were opened and closed. */
export const make = () => {
  const counts = { opened: 0, closed: 0, sessions: 0, ended: 0 }
  const layer = Layer.effect(
    Core.Engine,
    Effect.acquireRelease(
      Effect.map(Layer.build(ReferenceEngine.layer), (context): Core.Engine["Service"] => {
        counts.opened++
        const engine = Context.get(context, Core.Engine)
        const counted = Effect.acquireRelease(
          Effect.sync(() => counts.sessions++),
          () => Effect.sync(() => counts.ended++)
        )
        return { ...engine, session: (state) => Effect.andThen(counted, engine.session(state)) }
      }),
      () => Effect.sync(() => counts.closed++)
    )
  )
  return { counts, layer }
}
