/**
 * `rai verify`: checks a model against its parity record.
 */
import { Verify } from "@rai/export"
import { Effect } from "effect"
import { Argument, Command } from "effect/cli"
import * as PathText from "./PathText.ts"
import * as Report from "./Report.ts"

const shown = (value: unknown): string =>
  typeof value === "object" && !Array.isArray(value) ? JSON.stringify(value) : String(value)

const isSaid = (value: unknown): boolean => value !== undefined && !(Array.isArray(value) && value.length === 0)

/** The command. */
export const command = Command.make(
  "verify",
  {
    model: PathText.argument("model.onnx").pipe(Argument.withDescription("the model; its record lies beside it")),
    json: Report.jsonFlag
  },
  Effect.fn("verify")(function* ({ json, model }) {
    const { examples, file, maxAbsDifference, opset, origin, sha256 } = yield* Verify.verify(model)
    yield* Report.result(json, { file, sha256, opset, maxAbsDifference, examples, origin: origin ?? null }, [
      `${file} is as it was exported: sha256 ${sha256}, opset ${opset}`,
      `largest difference to the free run ${Report.number(maxAbsDifference)} on ${examples} examples`,
      ...(origin === undefined
        ? []
        : Object.entries(origin).flatMap(([key, value]) => (isSaid(value) ? [`${key}: ${shown(value)}`] : [])))
    ])
  })
)
