/**
 * Viridis, as in the paper: equal steps in value look equal, also to colour-blind readers and in grey.
 */
import { interpolateViridis } from "d3-scale-chromatic"

/** The colour at `position` in [0, 1], as #rrggbb. */
export const css = (position: number): string => interpolateViridis(Math.min(1, Math.max(0, position)))

/** The 256 colours as consecutive bytes of red, green and blue. */
export const table = (): Uint8Array =>
  Uint8Array.from(
    Array.from({ length: 256 }, (_, i) => css((i + 0.5) / 256)).flatMap((colour) =>
      [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))
    )
  )
