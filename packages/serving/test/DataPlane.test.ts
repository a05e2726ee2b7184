import { readFileSync } from "node:fs"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { DataPlane } from "../src/DataPlane.ts"
import { fixtures } from "./Client.ts"
import * as Plane from "./Plane.ts"

layer(Plane.layer(fixtures), { excludeTestServices: true })("a model's name", (it) => {
  const files = { "1/model.onnx": readFileSync(`${fixtures}/sigmoid.onnx`) }

  it.effect("is refused where it could not stand in a path, or in a line of the log", () =>
    Effect.gen(function* () {
      const plane = yield* DataPlane
      const reason =
        "a model's name holds no control character, no «/» and no «\\», and is not empty, «.» or «..»; give it another name"
      for (const name of ["a\nb", "a\u001b[2J", "a\u007f", "a\u009b2J", "a\u2028b", "a/b", "..\\a", "", ".", ".."]) {
        const { message } = yield* Effect.flip(plane.load(name, { config: "{}", files }))
        assert.strictEqual(message, `failed to load the model ${JSON.stringify(name)}: ${reason}`)
      }
      for (const name of ["...", ".a", "ein Modell, größer", "模型"]) {
        yield* plane.load(name, { config: "{}", files })
        yield* plane.modelReady({ model: name })
      }
    })
  )
})
