/**
 * The folder where downloads are kept for all projects of a user.
 */
import { Config, Effect, Path } from "effect"

/** $RAI_CACHE, else $XDG_CACHE_HOME/rai, else ~/.cache/rai. */
export const folder = Effect.gen(function* () {
  const path = yield* Path.Path
  return yield* Config.String("RAI_CACHE").pipe(
    Config.orElse(() => Config.map(Config.String("XDG_CACHE_HOME"), (home) => path.join(home, "rai"))),
    Config.orElse(() => Config.map(Config.String("HOME"), (home) => path.join(home, ".cache", "rai"))),
    Config.orElse(() => Config.map(Config.String("USERPROFILE"), (home) => path.join(home, ".cache", "rai")))
  )
})
