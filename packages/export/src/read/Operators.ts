/**
 * The table of supported ONNX operators: one row each, the operator as a formula.
 */
import type { Circuit } from "@rai/core"
import type { NodeProto } from "../onnx_pb.ts"
import * as Activations from "./Activations.ts"
import * as Attention from "./Attention.ts"
import type { Row } from "./Call.ts"
import * as Classical from "./Classical.ts"
import * as Constants from "./Constants.ts"
import * as Convolution from "./Convolution.ts"
import * as Elementwise from "./Elementwise.ts"
import * as Movement from "./Movement.ts"
import * as Normalization from "./Normalization.ts"
import * as Parts from "./Parts.ts"
import * as Pooling from "./Pooling.ts"
import * as Products from "./Products.ts"
import * as Reductions from "./Reductions.ts"
import * as Resizing from "./Resizing.ts"
import * as Shapes from "./Shapes.ts"

/** Rows by what their operators are in a network: activation functions, maps between layers, or others. */
const groups = [
  {
    role: "other",
    of: [
      Elementwise,
      Reductions,
      Shapes,
      Parts,
      Movement,
      Constants,
      Pooling,
      Normalization,
      Attention,
      Resizing,
      Classical
    ]
  },
  { role: "activation", of: [Activations] },
  { role: "map", of: [Products, Convolution, Classical.linear] }
] as const

const listed = groups.flatMap(({ of, role }) =>
  of.flatMap(({ rows }) => Object.entries(rows).map(([operator, row]) => ({ operator, row, role })))
)

/** Row of each supported operator, by its name. */
export const table: ReadonlyMap<string, Row> = new Map(listed.map(({ operator, row }) => [operator, row]))

/** Name of a node's operator: `Gemm` of the standard domain, `ai.onnx.ml.Scaler` of another. */
export const nameOf = ({ domain, opType }: NodeProto): string =>
  domain === "" || domain === "ai.onnx" ? opType : `${domain}.${opType}`

const roles = new Map(listed.map(({ operator, role }) => [operator, role] as const))

/** Role of a node by its operator; it is a map only where one of its operands is a parameter. */
export const roleOf = (node: NodeProto): Circuit.Place["role"] | undefined => roles.get(nameOf(node))

/** Operator sets that the rows support. */
export const opsets = { lowest: 1, highest: 28 } as const
