/**
 * The routes as an OpenAPI document, for client generators, for testing tools, and for the page that people read (`Docs`).
 */
import * as Datatype from "../Datatype.ts"

/** As much of JSON Schema as the document uses. */
export interface JsonSchema {
  readonly [keyword: string]: unknown
}

interface Body {
  readonly required?: boolean
  readonly content: Readonly<Record<string, { readonly schema?: JsonSchema; readonly example?: unknown }>>
}

interface Parameter {
  readonly name: string
  readonly in: "path" | "header"
  readonly required: boolean
  readonly description: string
  readonly schema: JsonSchema
}

interface Response extends Partial<Body> {
  readonly description: string
  readonly headers?: Readonly<Record<string, { readonly description: string; readonly schema: JsonSchema }>>
}

/** What one verb of one path does. */
export interface Operation {
  readonly operationId: string
  readonly tags: ReadonlyArray<string>
  readonly summary: string
  readonly description?: string
  readonly parameters: ReadonlyArray<Parameter>
  readonly requestBody?: Body
  readonly responses: Readonly<Record<string, Response>>
}

const string = { type: "string" }
const boolean = { type: "boolean" }
const count = { type: "integer", minimum: 0 }
const list = (items: JsonSchema): JsonSchema => ({ type: "array", items })
const object = (properties: Readonly<Record<string, JsonSchema>>, ...optional: ReadonlyArray<string>): JsonSchema => ({
  type: "object",
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name))
})
const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` })

const parameters = (known: Readonly<Record<string, JsonSchema>>): JsonSchema => ({
  type: "object",
  properties: known,
  additionalProperties: { type: ["string", "number", "boolean"] }
})

const tensorSpec = object({ name: string, datatype: string, shape: list({ type: "integer", minimum: -1 }) })
const duration = object({ count, ns: count })

const schemas = {
  Error: object({ error: string }),
  InferRequest: object(
    {
      id: string,
      parameters: parameters({
        timeout: {
          ...count,
          maximum: 2 ** 53 - 1,
          description: "Microseconds that the answer may take; 0 is no limit."
        },
        binary_data_output: { ...boolean, description: "All outputs raw, behind the JSON." }
      }),
      inputs: list(
        object(
          {
            name: string,
            shape: { ...list({ ...count, maximum: 2 ** 53 - 1 }), maxItems: 32 },
            datatype: { enum: Datatype.names },
            parameters: parameters({
              binary_data_size: { ...count, description: "So many bytes behind the JSON are this tensor." }
            }),
            data: {
              ...list({ type: ["number", "string", "boolean", "array"] }),
              description: "Flat or nested as the shape says, row-major; NaN and the infinities as texts."
            }
          },
          "parameters",
          "data"
        )
      ),
      outputs: {
        ...list(
          object(
            {
              name: string,
              parameters: parameters({
                binary_data: { ...boolean, description: "Raw, behind the JSON." },
                classification: {
                  ...count,
                  maximum: 2 ** 53 - 1,
                  description: 'So many of the largest, as "value:index".'
                }
              })
            },
            "parameters"
          )
        ),
        description: "The outputs wanted; all where none is named."
      }
    },
    "id",
    "parameters",
    "outputs"
  ),
  InferResponse: object(
    {
      model_name: string,
      model_version: string,
      id: string,
      outputs: list(
        object(
          {
            name: string,
            shape: list(count),
            datatype: { enum: Datatype.names },
            parameters: object({ binary_data_size: count }),
            data: list({ type: ["number", "string", "boolean"] })
          },
          "parameters",
          "data"
        )
      )
    },
    "id"
  ),
  ServerMetadata: object({ name: string, version: string, extensions: list(string) }),
  ModelMetadata: object({
    name: string,
    versions: list(string),
    platform: string,
    inputs: list(tensorSpec),
    outputs: list(tensorSpec),
    parameters: { type: "object", additionalProperties: string }
  }),
  ModelConfig: object({ name: string, platform: string, backend: string, max_batch_size: count }),
  ModelStatistics: object({
    model_stats: list(
      object({
        name: string,
        version: string,
        last_inference: count,
        inference_count: count,
        execution_count: count,
        inference_stats: { type: "object", additionalProperties: duration },
        batch_stats: list(object({ batch_size: count }))
      })
    )
  }),
  RepositoryIndex: list(
    object({
      name: string,
      version: string,
      state: { enum: ["READY", "LOADING", "UNLOADING", "UNAVAILABLE"] },
      reason: string
    })
  ),
  LoadRequest: {
    type: "object",
    properties: {
      parameters: {
        type: "object",
        description:
          "`config` holds settings as JSON text, `file:<version>/model.onnx` a file in base64; without them, the repository's own are read anew.",
        properties: { config: string },
        additionalProperties: string
      }
    }
  }
} satisfies Readonly<Record<string, JsonSchema>>

const json = (schema: JsonSchema, example?: unknown): Body["content"] => ({
  "application/json": example === undefined ? { schema } : { schema, example }
})

const problems: Readonly<Record<number, string>> = {
  400: "The request does not follow the protocol or does not fit the model.",
  401: "A bearer token is wanted, and none or another came.",
  403: "Loading and unloading are closed: the server was started without an admin token.",
  404: "There is no such model, version or route.",
  405: "The route has other verbs; the header Allow names them.",
  408: "The request took longer than the server waits.",
  413: "The body is over the limit.",
  415: "The body's encoding is none that the server reads.",
  422: "The model could not compute this input.",
  431: "The headers are over the limit.",
  501: "A part of Triton's protocol that this server does not have.",
  503: "The model is not ready, its queue is full, or the server is about to stop; Retry-After says when to ask again.",
  504: "The deadline passed before the answer came."
}

const everywhere = [400, 401, 404, 405, 408, 431]

const responses = (
  ok: Omit<Response, "description"> & { readonly description?: string },
  ...more: ReadonlyArray<number>
) => ({
  200: { description: "The answer.", ...ok },
  ...Object.fromEntries(
    [...everywhere, ...more].map((status): [number, Response] => [
      status,
      {
        description: problems[status] ?? "",
        content: json(ref("Error")),
        ...(status === 503
          ? { headers: { "Retry-After": { description: "Seconds.", schema: { type: "string", pattern: "^[0-9]+$" } } } }
          : {})
      }
    ])
  )
})

const model: Parameter = {
  name: "model",
  in: "path",
  required: true,
  description: "The model's name.",
  schema: { type: "string", minLength: 1 }
}
const version: Parameter = { ...model, name: "version", description: "The model's version, a number from 1." }

const inferHeaders: ReadonlyArray<Parameter> = [
  {
    name: "Inference-Header-Content-Length",
    in: "header",
    required: false,
    description:
      "The length of the JSON, behind which raw tensors follow (`binary_tensor_data`); 0 where the body is the model's one input and nothing else.",
    schema: { type: "string", pattern: "^[0-9]{1,15}$" }
  },
  {
    name: "X-Request-Timeout-Ms",
    in: "header",
    required: false,
    description: "Milliseconds that the answer may take; the earlier of this and the parameter `timeout` holds.",
    schema: { type: "string", pattern: "^[0-9]{1,9}$" }
  }
]

type Path = Readonly<Partial<Record<"get" | "post", Operation>>>

const ofModel = (
  suffix: string,
  idSuffix: string,
  verb: "get" | "post",
  id: string,
  operation: Omit<Operation, "operationId" | "parameters">,
  headers: ReadonlyArray<Parameter> = []
): ReadonlyArray<readonly [string, Path]> => [
  [`/v2/models/{model}${suffix}`, { [verb]: { operationId: id, ...operation, parameters: [model, ...headers] } }],
  [
    `/v2/models/{model}/versions/{version}${suffix}`,
    { [verb]: { operationId: `${id}${idSuffix}`, ...operation, parameters: [model, version, ...headers] } }
  ]
]

const plain = (
  path: string,
  operationId: string,
  tag: string,
  summary: string,
  content: Body["content"],
  ...more: ReadonlyArray<number>
): readonly [string, Path] => [
  path,
  { get: { operationId, tags: [tag], summary, parameters: [], responses: responses({ content }, ...more) } }
]

const admin = (action: "load" | "unload", summary: string, requestBody: Body): readonly [string, Path] => [
  `/v2/repository/models/{model}/${action}`,
  {
    post: {
      operationId: `${action}Model`,
      tags: ["Repository"],
      summary,
      parameters: [model],
      requestBody,
      responses: responses({ description: "Done." }, 403, 413, 415, 503)
    }
  }
]

const exampleRequest = { inputs: [{ name: "x", shape: [1, 2], datatype: "FP32", data: [0.5, 1] }] }

const paths: Readonly<Record<string, Path>> = Object.fromEntries([
  ...ofModel(
    "/infer",
    "Version",
    "post",
    "infer",
    {
      tags: ["Inference"],
      summary: "Ask a model.",
      description:
        "Tensors as JSON, or raw behind it. Bodies may come, and answers go, as gzip or deflate (Content-Encoding, Accept-Encoding).",
      requestBody: {
        required: true,
        content: { ...json(ref("InferRequest"), exampleRequest), "application/octet-stream": {} }
      },
      responses: responses(
        {
          content: { ...json(ref("InferResponse")), "application/octet-stream": {} },
          headers: {
            "Inference-Header-Content-Length": {
              description: "The length of the JSON, where raw outputs follow it.",
              schema: { type: "string", pattern: "^[0-9]+$" }
            }
          }
        },
        413,
        415,
        422,
        501,
        503,
        504
      )
    },
    inferHeaders
  ),
  ...ofModel("", "Version", "get", "modelMetadata", {
    tags: ["Models"],
    summary: "A model's inputs and outputs, its versions, and what computes it.",
    responses: responses({ content: json(ref("ModelMetadata")) }, 503)
  }),
  ...ofModel("/ready", "Version", "get", "modelReady", {
    tags: ["Models"],
    summary: "Whether a model answers.",
    responses: responses({ content: json(object({ name: string, ready: boolean })) }, 503)
  }),
  ...ofModel("/config", "Version", "get", "modelConfig", {
    tags: ["Models"],
    summary: "How a model is served, as Triton's ModelConfig.",
    responses: responses({ content: json(ref("ModelConfig")) }, 503)
  }),
  ...ofModel("/stats", "Version", "get", "modelStatistics", {
    tags: ["Models"],
    summary: "What a model has done since it was loaded.",
    responses: responses({ content: json(ref("ModelStatistics")) }, 503)
  }),
  [
    "/v2/models/{model}/versions",
    {
      get: {
        operationId: "modelVersions",
        tags: ["Models"],
        summary: "A model's versions that are ready.",
        parameters: [model],
        responses: responses({ content: json(object({ name: string, versions: list(string) })) }, 503)
      }
    }
  ],
  plain("/v2/models/stats", "allStatistics", "Models", "What all models have done.", json(ref("ModelStatistics"))),
  [
    "/v2/repository/index",
    {
      post: {
        operationId: "repositoryIndex",
        tags: ["Repository"],
        summary: "Every model and version that the repository has, and its state.",
        parameters: [],
        requestBody: { required: false, content: json({ type: "object", properties: { ready: boolean } }) },
        responses: responses({ content: json(ref("RepositoryIndex")) }, 413, 415)
      }
    }
  ],
  admin("load", "Load a model, or load it anew; what serves now serves until the new version is ready.", {
    required: false,
    content: json(ref("LoadRequest"))
  }),
  admin("unload", "Unload a model; what it has in its queue is answered first.", {
    required: false,
    content: json({ type: "object", properties: { parameters: { type: "object" } } })
  }),
  plain("/v2", "serverMetadata", "Server", "Which server this is, and its extensions.", json(ref("ServerMetadata"))),
  plain("/v2/health/live", "live", "Server", "Whether the server runs.", json(object({ live: boolean }))),
  plain(
    "/v2/health/ready",
    "ready",
    "Server",
    "Whether this server takes requests.",
    json(object({ ready: boolean })),
    503
  ),
  plain("/openapi.json", "openApi", "Documentation", "This document.", json({ type: "object" })),
  plain("/docs", "docs", "Documentation", "This document as a page.", { "text/html": { schema: string } })
])

/** The OpenAPI document. */
export const document = {
  openapi: "3.1.0",
  info: {
    title: "Inference server",
    version: "2",
    description:
      "The Open Inference Protocol (V2) with Triton's extensions for binary tensors, classification, the model repository, configuration and statistics."
  },
  security: [{}, { bearer: [] }],
  paths,
  components: { schemas, securitySchemes: { bearer: { type: "http", scheme: "bearer" } } }
}
