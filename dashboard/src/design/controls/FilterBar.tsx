// Filters as chips. Each chip is a parameter of the URL; the caller puts them there.
import { useId, useRef, useState } from 'react';
import { useT } from '../../i18n';
import './filter-bar.css';
import { useKeys } from '../tables/keys';
import { Icon } from '../values/Icon';

export interface Filter {
  name: string;
  label: string;
  /** One of these, or any text when absent. */
  options?: { value: string; label: string }[];
}

export type FilterValues = Record<string, string | undefined>;

interface Props {
  filters: Filter[];
  values: FilterValues;
  onChange: (change: FilterValues) => void;
  /** The field that `/` goes to; without one it goes to what adds a filter. */
  search?: { name: string; placeholder: string };
  children?: React.ReactNode;
}

export function FilterBar({ filters, values, onChange, search, children }: Props) {
  const t = useT();
  const [added, setAdded] = useState<string | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const adder = useRef<HTMLSelectElement>(null);
  useKeys({ '/': () => (field.current ?? adder.current)?.focus() });
  const shown = filters.filter((filter) => values[filter.name] !== undefined || filter.name === added);
  const rest = filters.filter((filter) => !shown.includes(filter));
  return (
    <div className="filters" role="search">
      {search && (
        <SearchField
          ref={field}
          placeholder={search.placeholder}
          value={values[search.name] ?? ''}
          onCommit={(text) => onChange({ [search.name]: text || undefined })}
        />
      )}
      {shown.map((filter) => (
        <Chip
          key={filter.name}
          filter={filter}
          value={values[filter.name]}
          isNew={filter.name === added}
          onChange={(value) => {
            setAdded(null);
            onChange({ [filter.name]: value });
          }}
        />
      ))}
      {rest.length > 0 && (
        <span className="chip add">
          <Icon name="plus" small />
          {t.filter}
          <select
            ref={adder}
            aria-label={t.addFilter}
            value=""
            onChange={(event) => {
              const filter = filters.find((each) => each.name === event.target.value);
              const first = filter?.options?.[0];
              if (filter && first) onChange({ [filter.name]: first.value });
              else if (filter) setAdded(filter.name);
            }}
          >
            <option value="" disabled hidden />
            {rest.map((filter) => (
              <option key={filter.name} value={filter.name}>
                {filter.label}
              </option>
            ))}
          </select>
        </span>
      )}
      {children}
    </div>
  );
}

interface FieldProps {
  ref: React.Ref<HTMLInputElement>;
  placeholder: string;
  value: string;
  onCommit: (text: string) => void;
}

export function SearchField({ ref, placeholder, value, onCommit }: FieldProps) {
  const id = useId();
  return (
    <span className="search-field">
      <Icon name="search" small />
      <label className="visually-hidden" htmlFor={id}>
        {placeholder}
      </label>
      <input
        key={value}
        id={id}
        ref={ref}
        type="search"
        defaultValue={value}
        placeholder={placeholder}
        onBlur={(event) => event.target.value !== value && onCommit(event.target.value.trim())}
        onKeyDown={(event) => event.key === 'Enter' && onCommit(event.currentTarget.value.trim())}
        onInput={(event) => event.currentTarget.value === '' && value !== '' && onCommit('')}
      />
    </span>
  );
}

interface ChipProps {
  filter: Filter;
  value: string | undefined;
  isNew: boolean;
  onChange: (value: string | undefined) => void;
}

function Chip({ filter, value, isNew, onChange }: ChipProps) {
  const t = useT();
  const chosen = filter.options?.find((option) => option.value === value);
  return (
    <span className="chip">
      <span className="faint">{filter.label}</span>
      {filter.options ? (
        <>
          <b>{chosen?.label ?? value}</b>
          <select aria-label={filter.label} value={value} onChange={(event) => onChange(event.target.value)}>
            {!chosen && value !== undefined && <option value={value}>{value}</option>}
            {filter.options.map((option) => (
              <option key={option.value} value={option.value}>
                {option.label}
              </option>
            ))}
          </select>
        </>
      ) : (
        <input
          key={value}
          aria-label={filter.label}
          // biome-ignore lint/a11y/noAutofocus: the person has just asked for this field.
          autoFocus={isNew}
          defaultValue={value}
          size={Math.max(8, value?.length ?? 12)}
          onBlur={(event) => event.target.value !== (value ?? '') && onChange(event.target.value.trim() || undefined)}
          onKeyDown={(event) => event.key === 'Enter' && onChange(event.currentTarget.value.trim() || undefined)}
        />
      )}
      <button
        type="button"
        className="copy"
        aria-label={t.removeFilter(filter.label)}
        onClick={() => onChange(undefined)}
      >
        <Icon name="cross" small />
      </button>
    </span>
  );
}
