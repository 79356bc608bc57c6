// A box that selects a row, or all rows; 44 px under a finger.
import { useEffect, useRef } from 'react';

interface Props {
  label: string;
  isOn: boolean;
  isPart?: boolean;
  /** Selected with its group, and not by itself. */
  isFixed?: boolean;
  onChange: (isRange: boolean) => void;
}

export function PickBox({ label, isOn, isPart, isFixed, onChange }: Props) {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (box.current) box.current.indeterminate = Boolean(isPart && !isOn);
  }, [isPart, isOn]);
  return (
    <label className="pick">
      <span className="visually-hidden">{label}</span>
      <input
        ref={box}
        type="checkbox"
        checked={isOn}
        disabled={isFixed}
        onChange={() => {}}
        onClick={(event) => onChange(event.shiftKey)}
      />
    </label>
  );
}
