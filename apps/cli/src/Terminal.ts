/**
 * What progress is shown on.
 */

/** Whether stderr is a terminal that moves its cursor and has colours. */
export const isCapable = process.stderr.isTTY === true && process.env.TERM !== "dumb"
