// A log in columns: what a table of a hundred thousand records is filtered from in one pass.

const GROW = 1.5;

function longer(column, size) {
  if (size <= column.length) return column;
  const made = new column.constructor(Math.max(size, Math.ceil(column.length * GROW), 4096));
  made.set(column);
  return made;
}

export class EventLog {
  constructor() {
    this.length = 0;
    this.kinds = [];
    this.counts = [];
    this.payloads = [];
    this.texts = [];
    this._day = new Int32Array(0);
    this._cause = new Int32Array(0);
    this._kind = new Uint16Array(0);
    this._numbers = new Map();
  }

  /** The seq of the last record: records are numbered from 1 without gaps. */
  get seq() {
    return this.length;
  }

  /** The day of the last record. */
  get day() {
    return this.length ? this._day[this.length - 1] : 0;
  }

  /** Add records that follow those that are there; others (sent twice) are passed over. */
  append(records) {
    const size = this.length + records.length;
    this._day = longer(this._day, size);
    this._cause = longer(this._cause, size);
    this._kind = longer(this._kind, size);
    for (const record of records) {
      if (record.seq !== this.length + 1) continue;
      let kind = this._numbers.get(record.kind);
      if (kind === undefined) {
        kind = this.kinds.push(record.kind) - 1;
        this.counts.push(0);
        this._numbers.set(record.kind, kind);
      }
      this.counts[kind] += 1;
      const payload = JSON.stringify(record.payload);
      this._day[this.length] = record.day;
      this._cause[this.length] = record.cause ?? 0;
      this._kind[this.length] = kind;
      this.payloads.push(payload);
      this.texts.push(payload.toLowerCase());
      this.length += 1;
    }
  }

  /** The record with this seq. */
  record(seq) {
    const place = seq - 1;
    return {
      seq, day: this._day[place], kind: this.kinds[this._kind[place]], cause: this._cause[place] || null,
      payload: this.payloads[place],
    };
  }

  /** The number of records up to a day's end. */
  until(day) {
    let low = 0, high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this._day[middle] <= day) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * The seqs of the records among the first ``last`` that are of a kind (any where it is "") and hold every word of a
   * text in their kind or payload, in their order.
   */
  filter({ text = "", kind = "", last = this.length }) {
    const found = new Int32Array(last);
    const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
    const number = kind ? this._numbers.get(kind) : -1;
    if (number === undefined) return found.subarray(0, 0);
    // Words that a kind's name holds need not be looked for in its records.
    const left = this.kinds.map((name) => wanted.filter((word) => !name.includes(word)));
    let size = 0;
    for (let place = 0; place < last; place += 1) {
      const own = this._kind[place];
      if (number >= 0 && own !== number) continue;
      const sought = left[own];
      let holds = true;
      for (let at = 0; at < sought.length; at += 1) {
        if (!this.texts[place].includes(sought[at])) {
          holds = false;
          break;
        }
      }
      if (holds) found[size++] = place + 1;
    }
    return found.subarray(0, size);
  }
}
