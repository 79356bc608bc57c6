// One line or one kind of bar of a chart.
export interface Series {
  label: string;
  /** A token such as `--delivered-bar`. */
  colour: string;
  values: (number | null)[];
  width?: number;
  dash?: number[];
}
