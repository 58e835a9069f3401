/**
 * Offsets that have been given out and are not settled yet: where the last stable offset is.
 *
 *     log start ...... records ...... | last stable |  reserved, settled, reserved ......  | end
 *                 readers see these         ^ the first unsettled offset
 *
 * Two kinds. A `ticket` belongs to one append and is settled by it alone. Offsets of the runtime's units are settled
 * together, up to an offset (`LogAppender.settle`), without touching tickets that lie between them.
 */
export class Reservations {
  #end: number;
  readonly #open: Reservation[] = [];

  constructor(end: number) {
    this.#end = end;
  }

  /** The next offset to give out. */
  get end(): number {
    return this.#end;
  }

  get lastStable(): number {
    return this.#open[0]?.from ?? this.#end;
  }

  ticket(count: number): Reservation {
    const reservation: Reservation = { from: this.#end, to: this.#end + count, kind: 'ticket', settled: false };
    this.#end = reservation.to;
    this.#open.push(reservation);
    return reservation;
  }

  settleTicket(ticket: Reservation): void {
    ticket.settled = true;
    this.#dropSettled();
  }

  /** Offsets of a unit; neighbours become one reservation, as a task reserves record batch by record batch. */
  reserveUnit(count: number): number {
    const from = this.#end;
    this.#end += count;
    const last = this.#open.at(-1);
    if (last?.kind === 'unit' && last.to === from) last.to = this.#end;
    else this.#open.push({ from, to: this.#end, kind: 'unit', settled: false });
    return from;
  }

  settleUnits(upTo: number): void {
    for (const reservation of this.#open) {
      if (reservation.from >= upTo) break;
      if (reservation.kind !== 'unit') continue;
      if (reservation.to <= upTo) reservation.settled = true;
      else reservation.from = upTo;
    }
    this.#dropSettled();
  }

  #dropSettled(): void {
    let settled = 0;
    while (this.#open[settled]?.settled === true) settled++;
    if (settled > 0) this.#open.splice(0, settled);
  }
}

export interface Reservation {
  from: number;
  to: number;
  readonly kind: 'ticket' | 'unit';
  settled: boolean;
}
