/** A scenario uses what the library does not have yet. The message is the operator's name. */
export class NotYet extends Error {}
