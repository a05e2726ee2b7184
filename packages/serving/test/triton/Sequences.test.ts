import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { GRPCInferenceService } from "../../src/grpc/grpc_service_pb.ts"
import * as InferenceServer from "../../src/InferenceServer.ts"
import { call, tensor } from "../Client.ts"
import * as GrpcClient from "../grpc/GrpcClient.ts"
import { sequences } from "../http/Ask.ts"

const infer = (model: string, values: ReadonlyArray<number>, parameters?: Record<string, unknown>) =>
  Effect.map(
    call(`/v2/models/${model}/infer`, {
      inputs: [tensor("INPUT", "INT32", [values.length, 1], values)],
      ...(parameters && { parameters })
    }),
    ({ body }) =>
      body.error ?? (body.outputs as ReadonlyArray<{ readonly data: ReadonlyArray<unknown> }>).map(({ data }) => data)
  )

layer(
  InferenceServer.layer({
    ...{ repository: sequences, port: 0, grpcPort: 0 },
    executionProviders: ["cpu"],
    access: { admin: "open" }
  }),
  { excludeTestServices: true }
)("models of sequences", (it) => {
  it.effect("show clients their own inputs alone", () =>
    Effect.gen(function* () {
      const metadata = (yield* call("/v2/models/simple_dyna_sequence")).body
      assert.deepStrictEqual(metadata.inputs, [{ name: "INPUT", datatype: "INT32", shape: [-1, 1] }])
      const { input, sequence_batching } = (yield* call("/v2/models/simple_sequence/config")).body
      assert.deepStrictEqual(input, [{ name: "INPUT", data_type: "TYPE_INT32", dims: [1], format: "FORMAT_NONE" }])
      const control = (kind: string) => ({
        name: kind,
        control: [{ kind: `CONTROL_SEQUENCE_${kind}`, int32_false_true: [0, 1] }]
      })
      assert.deepStrictEqual(sequence_batching, { control_input: [control("START"), control("READY")] })
      const client = yield* InferenceServer.InferenceServer.use(({ grpc = "" }) => GrpcClient.connect(grpc))
      const { message } = yield* GrpcClient.ask(client, GRPCInferenceService.method.modelConfig, {
        name: "simple_sequence"
      })
      assert.strictEqual(message?.config?.schedulingChoice.case, "sequenceBatching")
    })
  )

  it.effect("are told in each row where a request stands", () =>
    Effect.gen(function* () {
      const start = { sequence_id: 7, sequence_start: true, sequence_end: false }
      assert.deepStrictEqual(yield* infer("simple_sequence", [3], start), [[4]])
      assert.deepStrictEqual(yield* infer("simple_sequence", [3, 5], start), [[4, 6]])
      assert.deepStrictEqual(yield* infer("simple_sequence", [3], { ...start, sequence_start: false }), [[3]])
      assert.deepStrictEqual(yield* infer("simple_sequence", [3]), [[3]])
      const end = { sequence_id: 1000, sequence_end: true }
      assert.deepStrictEqual(yield* infer("simple_dyna_sequence", [3, 5], end), [
        [1003, 1005],
        ["1000", "1000"]
      ])
      assert.deepStrictEqual(yield* infer("simple_dyna_sequence", [3], start), [[4], ["7"]])
      assert.deepStrictEqual(yield* infer("simple_dyna_sequence", [3], { sequence_id: "12" }), [[3], ["12"]])
      assert.deepStrictEqual(yield* infer("simple_dyna_sequence", [3]), [[3], [""]])
      const many = yield* Effect.all(
        Array.from({ length: 200 }, (_, i) => infer("simple_sequence", [i], { ...start, sequence_start: i % 2 === 0 })),
        // So many may wait on a busy machine too.
        { concurrency: 16 }
      )
      assert.deepStrictEqual(
        many,
        many.map((_, i) => [[i % 2 === 0 ? i + 1 : i]])
      )
    })
  )

  it.effect("refuse what says something else", () =>
    Effect.gen(function* () {
      const parameter = (name: string, what: string) => `the parameter "${name}" must be ${what}; correct it`
      for (const [parameters, error] of [
        [{ sequence_start: 1 }, parameter("sequence_start", "true or false")],
        [{ sequence_end: "no" }, parameter("sequence_end", "true or false")],
        [{ sequence_id: "a name" }, parameter("sequence_id", "a whole number from 0 to 18446744073709551615")],
        [{ sequence_id: -1 }, parameter("sequence_id", "a whole number from 0 to 18446744073709551615")],
        [{ sequence_id: true }, parameter("sequence_id", "a whole number from 0 to 18446744073709551615")]
      ] as const) {
        assert.strictEqual(yield* infer("simple_dyna_sequence", [1], parameters), error)
      }
      const own = yield* call("/v2/models/simple_sequence/infer", {
        inputs: [tensor("INPUT", "INT32", [1, 1], [1]), tensor("START", "INT32", [1, 1], [1])]
      })
      assert.strictEqual(
        own.body.error,
        'the model takes "INPUT" as INT32 [-1, 1]; an input "START" came; take it out or rename it'
      )
    })
  )

  it.effect("are not loaded with settings that do not fit them", () =>
    Effect.gen(function* () {
      const load = (model: string, config: unknown) =>
        Effect.map(
          call(`/v2/repository/models/${model}/load`, { parameters: { config: JSON.stringify(config) } }),
          ({ body }) => String(body.error)
        )
      const sequence = (name: string, kind: string) => ({
        sequence_batching: { control_input: [{ name, control: [{ kind }] }] }
      })
      const failed = 'failed to load the model "simple_dyna_sequence": '
      assert.strictEqual(
        yield* load("simple_dyna_sequence", sequence("BEGIN", "CONTROL_SEQUENCE_START")),
        `${failed}its settings name the control input "BEGIN"; the model has "START", "INPUT", "READY", "END", "CORRID", "NAME"`
      )
      assert.strictEqual(
        yield* load("simple_dyna_sequence", sequence("NAME", "CONTROL_SEQUENCE_START")),
        `${failed}its settings make a CONTROL_SEQUENCE_START of the input "NAME", which is BYTES; such a one is INT32, FP32, BOOL`
      )
      const config = `${failed}failed to poll from model repository: its config: `
      assert.match(
        yield* load("simple_dyna_sequence", { sequence_batching: { state: [{ input_name: "INPUT" }] } }),
        new RegExp(`^${config}at sequence_batching\\.state`)
      )
      assert.strictEqual(
        yield* load("simple_dyna_sequence", { dynamic_batching: {}, sequence_batching: {} }),
        `${config}Expected dynamic_batching or sequence_batching, not both`
      )
      assert.deepStrictEqual(yield* infer("simple_dyna_sequence", [3]), [[3], [""]])
    })
  )
})
