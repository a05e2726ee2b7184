/**
 * The table of primitives: every operation that a program may contain, one row each.
 */
import type { Primitive } from "../Primitive.ts"
import * as Composites from "./Composites.ts"
import * as Contraction from "./Contraction.ts"
import * as Elementwise from "./Elementwise.ts"
import * as Indexing from "./Indexing.ts"
import * as Leaf from "./Leaf.ts"
import * as Movement from "./Movement.ts"
import * as Reduction from "./Reduction.ts"

/** Every primitive and composite by name. */
export const table: ReadonlyMap<string, Primitive> = new Map(
  [Leaf, Elementwise, Reduction, Indexing, Movement, Contraction, Composites].flatMap((rows) =>
    Object.values(rows).map((row) => [row.name, row] as const)
  )
)
