// A table whose rows open, take j and k, and stack below one another where it is narrow.
import { type ReactNode, useRef } from 'react';
import { openRow, useRowKeys } from './keys';
import './table.css';

export interface Column<Row> {
  id: string;
  head: ReactNode;
  cell: (row: Row) => ReactNode;
  /** What it shows is still under way, though the row is there: a skeleton stands in its place. */
  isAwaited?: (row: Row) => boolean;
  /** Numbers stand right. */
  isNumber?: boolean;
  /** Takes the room that is left, and is cut off. */
  isWide?: boolean;
  /** Where it is narrow: before all, the first line, a line of its own, the end of the first line, the same with its head
   *  before it, after the lines with its head before it, or not at all. */
  narrow?: 'first' | 'lead' | 'line' | 'end' | 'named-end' | 'named' | 'hidden';
}

interface Props<Row> {
  label: string;
  columns: Column<Row>[];
  rows: Row[] | undefined;
  rowKey: (row: Row) => string;
  isSelected?: (row: Row) => boolean;
  isNew?: (row: Row) => boolean;
  empty?: ReactNode;
  /** So many rows are drawn while the first answer is under way. */
  expected?: number;
}

export function Table<Row>({ label, columns, rows, rowKey, isSelected, isNew, empty, expected = 5 }: Props<Row>) {
  const body = useRef<HTMLTableSectionElement>(null);
  useRowKeys(body);
  if (rows?.length === 0 && empty) return <>{empty}</>;
  return (
    <div className="table-scroll">
      <table className="table" aria-label={label} aria-busy={!rows}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.id} scope="col" className={classOf(column)}>
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          {rows?.map((row) => (
            <tr
              key={rowKey(row)}
              data-row
              className={isNew?.(row) ? 'new' : undefined}
              aria-selected={isSelected?.(row)}
              onClick={openRow}
            >
              {columns.map((column, index) => (
                <td
                  key={column.id}
                  className={classOf(column)}
                  data-head={isNamed(column) && typeof column.head === 'string' ? column.head : undefined}
                >
                  {column.isAwaited?.(row) ? <SkeletonText place={index} /> : column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
          {!rows &&
            Array.from({ length: expected }, (_, place) => <SkeletonRow key={place} columns={columns} place={place} />)}
        </tbody>
      </table>
    </div>
  );
}

function SkeletonRow<Row>({ columns, place }: { columns: Column<Row>[]; place: number }) {
  return (
    <tr>
      {columns.map((column, index) => (
        <td key={column.id} className={classOf(column)}>
          <SkeletonText place={place * 3 + index * 5} />
        </td>
      ))}
    </tr>
  );
}

/** In the size of a word; what differs in place differs in width. */
export function SkeletonText({ place = 0 }: { place?: number }) {
  return <span className={`skeleton width-${place % 4}`} aria-hidden="true" />;
}

function isNamed<Row>(column: Column<Row>): boolean {
  return column.narrow === 'named' || column.narrow === 'named-end';
}

function classOf<Row>(column: Column<Row>): string {
  return [column.isNumber && 'num', column.isWide && 'wide', `narrow-${column.narrow ?? 'line'}`]
    .filter(Boolean)
    .join(' ');
}
