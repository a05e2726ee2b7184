/**
 * The version of this library, as it is recorded in checkpoints and exported models.
 */
export const version = "0.1.0"
