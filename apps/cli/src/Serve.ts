/**
 * `rai serve`: models over the Open Inference Protocol.
 */
import { InferenceServer, RequestLog, RequestObserver, RequestTraces } from "@rai/serving"
import { type Config, Duration, Effect, Layer, Logger, Option, SchemaIssue } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as Credentials from "./Credentials.ts"
import * as Described from "./Described.ts"
import * as PathText from "./PathText.ts"
import * as Signals from "./Signals.ts"
import { UsageWrong } from "./UsageWrong.ts"

/** A flag for a whole number within bounds; the parser rejects any other value. */
const whole = (name: string, minimum: number, maximum: number) =>
  Flag.Int(name).pipe(
    Flag.filter(
      (value) => value >= minimum && value <= maximum,
      () => `Expected a whole number from ${minimum} to ${maximum}`
    )
  )

const maxPort = 65_535
/** The longest timer of Node in seconds, 24 days; a longer one would fire at once. */
const maxSeconds = Math.floor((2 ** 31 - 1) / 1000)
/** The limit on the memory of all requests together, in MiB. */
const maxBodyMib = 512
/** The number of files that Linux lets one process open. */
const maxConnections = 2 ** 20
const pollSeconds = 15

// An origin as browsers send it: in lower case, without a path and without the scheme's default port.
const isOrigin = (text: string): boolean => {
  const url = URL.parse(text)
  return url !== null && url.host !== "" && `${url.protocol}//${url.host}` === text
}

const issues = SchemaIssue.makeFormatterStandardSchemaV1()

/** Says which OpenTelemetry environment variable has an invalid value. */
const tracesWrong = ({ cause }: Config.ConfigError) => {
  const [issue] = cause._tag === "SchemaError" ? issues(cause.issue).issues : []
  const expected = issue?.message.replace(/^Expected /, "") ?? "what can be read"
  return new UsageWrong({
    expected: `${expected} in $${issue?.path?.join("_") ?? "OTEL_EXPORTER_OTLP_ENDPOINT"}`,
    came: "something else came",
    advice: "correct it, or leave it out; an endpoint is for instance http://127.0.0.1:4318"
  })
}

const optionalFile = (name: string, description: string) =>
  Flag.File(name).pipe(Flag.withDescription(description), Flag.optional)

const flags = {
  repository: PathText.argument("REPOSITORY").pipe(
    Argument.withDescription("a folder of .onnx files, a folder as Triton lays it out, or one .onnx file")
  ),
  host: Flag.String("host").pipe(
    Described.withDefault("the address to listen on; 0.0.0.0 for every one that this machine has", "127.0.0.1")
  ),
  port: whole("port", 0, maxPort).pipe(Described.withDefault("the port; 0 takes a free one", 8080)),
  grpcPort: whole("grpc-port", 0, maxPort).pipe(
    Flag.withDescription("serve gRPC too, on this port; 0 takes a free one"),
    Flag.optional
  ),
  name: Flag.String("name").pipe(
    Described.withDefault("what the server calls itself; some of Triton's clients insist on triton", "rai")
  ),
  require: Flag.Literals("require", ["cuda"]).pipe(
    Flag.withDescription(
      "start only where every model runs on CUDA; without it the processor takes what CUDA does not"
    ),
    Flag.optional
  ),
  modelControl: Flag.Literals("model-control", ["none", "poll", "explicit"]).pipe(
    Described.withDefault(
      "what changes the models while they are served: nothing, what is found in the repository, or whoever has the admin token",
      "none"
    )
  ),
  pollSeconds: whole("poll-seconds", 1, maxSeconds).pipe(
    Flag.withDescription(Described.text("how often --model-control poll looks", pollSeconds)),
    Flag.optional
  ),
  token: optionalFile(
    "token-file",
    "a file with the token that every request must bear; else $RAI_TOKEN; else none does"
  ),
  adminToken: optionalFile(
    "admin-token-file",
    "a file with the token that loads and unloads models; else $RAI_ADMIN_TOKEN"
  ),
  certificate: optionalFile("tls-cert", "a certificate as PEM, with --tls-key: serve HTTPS, HTTP/2 too"),
  key: optionalFile("tls-key", "its private key as PEM"),
  authority: optionalFile("tls-client-ca", "a certificate as PEM that must have signed those of clients"),
  cors: Flag.String("cors").pipe(
    Flag.filter(
      (text) => text === "*" || isOrigin(text),
      () => "Expected * or an origin such as https://example.com, without a path"
    ),
    Flag.withDescription("an origin whose pages may ask, or *; may be given several times; none may otherwise"),
    Flag.atLeast(0)
  ),
  logFormat: Flag.Literals("log-format", ["pretty", "json"]).pipe(
    Described.withDefault("how the log is written: for people, or one JSON object a line", "pretty")
  ),
  accessLog: Flag.Boolean("access-log").pipe(
    Flag.withDescription(
      "a line for every request but health checks and scrapes, not only for those that fail by the server's fault or take over a second"
    ),
    Flag.withDefault(false)
  ),
  maxBodyMib: whole("max-body-mib", 1, maxBodyMib).pipe(
    Described.withDefault("the most that one request may hold", 64)
  ),
  maxConnections: whole("max-connections", 1, maxConnections).pipe(
    Described.withDefault("the most connections at a time", 4096)
  ),
  grace: whole("grace", 1, maxSeconds).pipe(
    Described.withDefault("the seconds in which it ends once it is told to, answering what is under way", 30)
  )
}

const MiB = 1024 * 1024

/** The command. */
export const command = Command.make(
  "serve",
  flags,
  Effect.fn("serve")(function* (options) {
    const { accessLog, cors, host, logFormat, modelControl, name, port, repository } = options
    if (Option.isSome(options.pollSeconds) && modelControl !== "poll") {
      return yield* new UsageWrong({
        expected: "--poll-seconds together with --model-control poll",
        came: `--poll-seconds ${options.pollSeconds.value} came with --model-control ${modelControl}`,
        advice: "give both, or leave --poll-seconds out"
      })
    }
    const access = yield* Credentials.access(options, modelControl === "explicit")
    const tls = yield* Credentials.tls(options)
    const bodyBytes = options.maxBodyMib * MiB
    const poll = Duration.seconds(Option.getOrElse(options.pollSeconds, () => pollSeconds))
    const grace = Duration.seconds(options.grace)
    const server = InferenceServer.layer({
      ...{ repository, name, host, port, access, tls, cors, grace, quiet: "1 second" },
      grpcPort: Option.getOrUndefined(options.grpcPort),
      executionProviders: Option.isSome(options.require) ? [options.require.value] : undefined,
      poll: modelControl === "poll" ? poll : undefined,
      limits: { bodyBytes, decompressedBytes: bodyBytes, connections: options.maxConnections }
    })
    const observer = Layer.effect(
      RequestObserver.Current,
      Effect.gen(function* () {
        const log = yield* RequestLog.make({ all: accessLog })
        const traces = yield* Effect.catchTag(RequestTraces.fromEnvironment, "ConfigError", tracesWrong)
        return RequestObserver.all(traces === undefined ? [log] : [log, traces])
      })
    )
    const logger = logFormat === "json" ? Logger.layer([Logger.withConsoleError(Logger.formatJson)]) : Layer.empty
    yield* Signals.untilTold(Layer.launch(server.pipe(Layer.provide(observer), Layer.provide(logger))), grace)
  })
)
