/**
 * All experiments, by name.
 */
import * as Batches from "./Batches.ts"
import * as Boundaries from "./Boundaries.ts"
import * as Cuts from "./Cuts.ts"
import type { Experiment } from "./Experiment.ts"
import * as Figure2 from "./Figure2.ts"
import * as Figure3 from "./Figure3.ts"
import * as Figure4 from "./Figure4.ts"
import * as Figure5 from "./Figure5.ts"
import * as Generalisation from "./Generalisation.ts"
import * as Gradients from "./Gradients.ts"
import * as Initialisation from "./Initialisation.ts"
import * as PlanS from "./PlanS.ts"
import * as Regularisation from "./Regularisation.ts"
import * as ZeroLambda from "./ZeroLambda.ts"

/** In the recommended reading order. */
export const all: ReadonlyArray<Experiment> = [
  Figure2,
  Figure3,
  Figure4,
  Figure5,
  Gradients,
  ZeroLambda,
  Cuts,
  Initialisation,
  PlanS,
  Batches,
  Generalisation,
  Regularisation,
  Boundaries
].map(({ experiment }) => experiment)

/** The names that `rai experiment` takes. */
export const names: ReadonlyArray<string> = all.map(({ name }) => name)

/** The experiment of a name, or undefined if there is none. */
export const named = (name: string): Experiment | undefined => all.find((experiment) => experiment.name === name)
