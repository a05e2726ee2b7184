/**
 * All cases, at least one for every primitive in the table.
 */
import type { Case } from "./Case.ts"
import * as Composite from "./cases/Composite.ts"
import * as Contraction from "./cases/Contraction.ts"
import * as Elementwise from "./cases/Elementwise.ts"
import * as Indexing from "./cases/Indexing.ts"
import * as Movement from "./cases/Movement.ts"
import * as Reduction from "./cases/Reduction.ts"

/** Every case, in the order of the table of primitives. */
export const all: ReadonlyArray<Case> = [Elementwise, Reduction, Indexing, Movement, Contraction, Composite].flatMap(
  ({ cases }) => cases
)
