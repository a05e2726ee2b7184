/**
 * A grpc-js client built from the services' descriptors.
 */
import {
  create,
  type DescMessage,
  type DescMethodBiDiStreaming,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary
} from "@bufbuild/protobuf"
import {
  type CallOptions,
  type ChannelCredentials,
  Client,
  type ClientOptions,
  type ClientUnaryCall,
  credentials,
  Metadata,
  type ServiceError
} from "@grpc/grpc-js"
import { Effect } from "effect"

export interface Options extends CallOptions {
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** Called with the call once it has started. */
  readonly begun?: (call: ClientUnaryCall) => void
}

export type Answer<O extends DescMessage> = Partial<Pick<ServiceError, "code" | "details" | "metadata">> & {
  readonly message?: MessageShape<O>
}

type Method<I extends DescMessage, O extends DescMessage> =
  | DescMethodUnary<I, O>
  | DescMethodServerStreaming<I, O>
  | DescMethodBiDiStreaming<I, O>

const definitionOf = <I extends DescMessage, O extends DescMessage>({ input, name, output, parent }: Method<I, O>) => ({
  path: `/${parent.typeName}/${name}`,
  requestSerialize: (message: MessageShape<I>) => Buffer.from(toBinary(input, message)),
  responseDeserialize: (bytes: Uint8Array) => fromBinary(output, bytes)
})

const metadataOf = (entries: Options["metadata"] = {}) => {
  const metadata = new Metadata()
  for (const [key, value] of Object.entries(entries)) metadata.set(key, value)
  return metadata
}

/** Opens a channel to an address; it is closed with the scope. */
export const connect = (
  address: string,
  {
    security = credentials.createInsecure(),
    ...options
  }: ClientOptions & { readonly security?: ChannelCredentials } = {}
) =>
  Effect.acquireRelease(
    Effect.sync(() => new Client(address, security, options)),
    (client) => Effect.sync(() => client.close())
  )

/** Makes a unary call; a failure is an answer too. */
export const ask = <I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: DescMethodUnary<I, O>,
  message: MessageInitShape<I>,
  { begun, metadata, ...options }: Options = {}
) =>
  Effect.callback<Answer<O>>((resume) => {
    const { path, requestSerialize, responseDeserialize } = definitionOf(method)
    const call = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      create(method.input, message),
      metadataOf(metadata),
      options,
      (error, message) => {
        if (error === null) return resume(Effect.succeed(message === undefined ? {} : { message }))
        const { code, details, metadata } = error
        resume(Effect.succeed({ code, details, metadata }))
      }
    )
    begun?.(call)
  })

/** Opens a bidirectional stream. */
export const stream = <I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: DescMethodBiDiStreaming<I, O>,
  { metadata, ...options }: Options = {}
) => {
  const { path, requestSerialize, responseDeserialize } = definitionOf(method)
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadataOf(metadata), options)
  return { call, write: (message: MessageInitShape<I>) => call.write(create(method.input, message)) }
}

/** Opens a server stream. */
export const watch = <I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: DescMethodServerStreaming<I, O>,
  message: MessageInitShape<I>
) => {
  const { path, requestSerialize, responseDeserialize } = definitionOf(method)
  return client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, create(method.input, message))
}

/** Collects all messages of a stream and its final status. */
export const collect = <A>(call: NodeJS.ReadableStream) =>
  Effect.callback<{ readonly messages: ReadonlyArray<A>; readonly code: number; readonly details: string }>(
    (resume) => {
      const messages: Array<A> = []
      call.on("data", (message: A) => messages.push(message))
      call.on("error", () => {})
      call.on("status", ({ code, details }: { readonly code: number; readonly details: string }) =>
        resume(Effect.succeed({ messages, code, details }))
      )
    }
  )
