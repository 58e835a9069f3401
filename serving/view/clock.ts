/**
 * Which publication readers see.
 *
 * A publication's rows come in slices and take effect together. So every cell of the view can hold two values: the one
 * that readers see and the one that is staged, stamped with the number of its publication. A reader takes the staged
 * value once its publication has been applied, and applying one is to raise a number, however many rows it changed.
 */
export class Clock {
  /** Publications that readers see. */
  applied = 0;

  /** The stamp of what is being staged. */
  get staging(): number {
    return this.applied + 1;
  }
}
