import { describe, expect, it } from "@effect/vitest"
import { Cut, Engine, Gradient, type NdArray, ReferenceEngine, Segments } from "@rai/core"
import { Effect } from "effect"
import { Law } from "../src/index.ts"
import * as CircuitCases from "./CircuitCases.ts"
import * as RelaxedCases from "./RelaxedCases.ts"
import * as Unrolled from "./Unrolled.ts"

const same = (came: NdArray.NdArray, expected: NdArray.NdArray, what: string) =>
  expect(Law.broken(came, expected, expected.shape, 1e-12), what).toBeUndefined()

const evaluated = (settings: CircuitCases.Settings) =>
  Effect.gen(function* () {
    const { inputs, program } = CircuitCases.relaxed("stacked", settings)
    const trained = Object.keys(inputs).filter((name) => name !== "x" && name !== "y")
    const stacked = yield* Engine.run(yield* Gradient.make({ of: "loss", inputs: trained })(program), inputs)
    const unrolled = yield* Unrolled.make(settings, inputs)
    const expected = yield* Engine.run(unrolled.program, unrolled.inputs)

    same(stacked.loss!, expected.loss!, "loss")
    same(stacked.output!, expected.output!, "output")
    const sites = [...Cut.sites(settings.circuit, settings.cut)]
    expect(stacked.residuals!.shape).toEqual([sites.length])
    sites.forEach((site, i) => {
      same(Unrolled.part(stacked.residuals!, [], i), expected[`residual/${site}`]!, `residual of ${site}`)
    })
    for (const { from, index, name, shape } of unrolled.origins) {
      const came = Unrolled.part(stacked[`gradient/${from}`]!, shape, index)
      same(came, expected[`gradient/${name}`]!, `gradient of ${name}`)
    }
  }).pipe(Effect.provide(ReferenceEngine.layer))

describe("stacked evaluation equals unrolled evaluation: loss, output, residuals, gradients", () => {
  for (const [name, settings] of RelaxedCases.rows) it.effect(name, () => evaluated(settings))

  it("stacks wherever the cuts have a pattern", () => {
    const stacked = RelaxedCases.rows.filter(([, { circuit, cut }]) =>
      Segments.places(circuit, Cut.sites(circuit, cut)).some((place) => place.stacked)
    )
    expect(stacked.length).toBeGreaterThanOrEqual(15)
  })
})
