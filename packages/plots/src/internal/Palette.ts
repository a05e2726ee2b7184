/**
 * Colours and dashes that tell series apart: Okabe and Ito's palette, suited to every kind of colour vision; dashes once the colours repeat.
 */

const colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#1a1a1a"]
const dashes = [undefined, "6 3", "2 3"]

/** How the i-th series is drawn. */
export interface Stroke {
  readonly stroke: string
  readonly "stroke-dasharray": string | undefined
}

/** The stroke of the i-th series. */
export const stroke = (i: number): Stroke => ({
  stroke: colours[i % colours.length]!,
  "stroke-dasharray": dashes[Math.floor(i / colours.length) % dashes.length]
})
