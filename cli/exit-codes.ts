/** How `millrace` ends; `docs/architecture/cli.md` and `millrace --help` name the same numbers. */
export const exitCodes = {
  ok: 0,
  /** Something the user can mend: one sentence on stderr says what. Also a stop that took longer than its deadline. */
  error: 1,
  /** `verify`: the state differs from what was computed anew. */
  different: 2,
  /** A defect of ours: stderr has the stack. */
  defect: 70,
  /** A second Ctrl-C or SIGTERM: the process ended at once, as if killed. */
  interrupted: 130,
} as const;
