/**
 * Progress output: one line, rewritten in place on a terminal that can do so; elsewhere a line at every fifth.
 */

/** Writes a line. @param {string} text */
export const say = (text) => void process.stderr.write(`${text}\n`)

/** Whether lines can be rewritten in place there. @param {{ readonly isTTY?: boolean | undefined }} stream */
export const canRewrite = ({ isTTY = false }) => isTTY && process.env.TERM !== "dumb"

/**
 * Makes the line of a step: `at` takes the fraction completed, `end` finishes the line.
 * @param {string} label
 * @param {{ readonly isTTY?: boolean | undefined, readonly write: (text: string) => unknown }} [stream]
 */
export const make = (label, stream = process.stderr) => {
  const isRewritten = canRewrite(stream)
  let shown = -1
  /** @param {number | undefined} fraction */
  const at = (fraction) => {
    const percent = Math.floor((fraction ?? 0) * 100)
    const next = isRewritten ? percent : Math.floor(percent / 20) * 20
    if (next <= shown) return
    shown = next
    const text = next === 0 ? `${label} …` : `${label} … ${next} %`
    stream.write(isRewritten ? `\r${text}\u001b[K` : `${text}\n`)
  }
  /** @param {string} [outcome] */
  const end = (outcome) => {
    if (isRewritten) stream.write(`\r${label}${outcome === undefined ? "" : `: ${outcome}`}\u001b[K\n`)
    else if (outcome !== undefined) stream.write(`${label}: ${outcome}\n`)
  }
  return { at, end }
}
