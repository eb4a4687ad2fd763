export declare class KeptFiles {
  constructor(directory: string, kept: string);
  /** Numbers of files by name, as a process sees the directory now. */
  readonly present: Readonly<Record<string, number>>;
  /** `random` is in [0, 1): from 0.5 up nothing survives that was not synced; 0.3 keeps all of it. */
  cutPower(random: () => number): { readonly lostBytes: number; readonly lostNames: number };
}
