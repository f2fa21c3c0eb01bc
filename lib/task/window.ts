/**
 * Requests going or waiting for their turn at once. At 5 a second and the slowest answers seen (about a second) five
 * are on the wire; the rest is for those that wait out a back-off, which must not starve the throttle.
 */
export const WINDOW = 16;

/** An endpoint that is asked by id takes no more of them. */
export const BATCH = 100;
