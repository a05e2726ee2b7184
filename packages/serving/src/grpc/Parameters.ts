/**
 * The protocol's parameters, between messages and plain values.
 */
import type { MessageInitShape } from "@bufbuild/protobuf"
import type { Parameters } from "../InferTensor.ts"
import type { InferParameter, InferParameterSchema } from "./grpc_service_pb.ts"

const plain = ({ parameterChoice: { value } }: InferParameter): Parameters[string] | undefined =>
  typeof value === "bigint" && value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER
    ? Number(value)
    : value

/** Reads parameters; whole numbers become plain numbers where these are exact, as in JSON. Undefined where there are no parameters. */
export const read = (messages: Readonly<Record<string, InferParameter>>): Parameters | undefined => {
  const entries = Object.entries(messages).flatMap(([name, message]) => {
    const value = plain(message)
    return value === undefined ? [] : [[name, value] as const]
  })
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

type Message = MessageInitShape<typeof InferParameterSchema>

const message = (value: Parameters[string]): Message => {
  switch (typeof value) {
    case "boolean":
      return { parameterChoice: { case: "boolParam", value } }
    case "string":
      return { parameterChoice: { case: "stringParam", value } }
    case "bigint":
      return value >= 2n ** 63n
        ? { parameterChoice: { case: "uint64Param", value } }
        : { parameterChoice: { case: "int64Param", value } }
    case "number":
      return Number.isSafeInteger(value)
        ? { parameterChoice: { case: "int64Param", value: BigInt(value) } }
        : { parameterChoice: { case: "doubleParam", value } }
  }
}

/** Writes parameters; whole numbers are sent as int64, or as uint64 beyond that. */
export const write = (parameters: Parameters): Record<string, Message> =>
  Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, message(value)]))
