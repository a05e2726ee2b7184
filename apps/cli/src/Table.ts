/**
 * Rows of text in aligned columns: words to the left, numbers to the right.
 */

/** The lines of a table; the first row is its head. */
export const lines = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const isWords = rows[0]!.map((_, column) => rows.slice(1).every((row) => !/^[\d–]/.test(row[column]!)))
  return rows.map((row) =>
    row
      .map((cell, column) => (isWords[column] ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join("  ")
      .trimEnd()
  )
}
