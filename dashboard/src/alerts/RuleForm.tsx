// Creates a rule, or changes one. The numbers that are asked for are those of the kind of its condition.
import { NativeSelect, NumberInput, Switch, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { client } from '../api/client';
import type { AlertRule, Severity } from '../api/types';
import { FormPanel } from '../design/layout/Dialog';
import { useFormat, useT } from '../i18n';
import './alerts.css';
import {
  type ConditionKind,
  conditionKinds,
  conditionOf,
  fieldsOf,
  mostOf,
  type Numbers,
  numbersFor,
} from './condition';

export const severities: Severity[] = ['info', 'warning', 'critical'];
const week = 7 * 24 * 60;

interface Form {
  name: string;
  kind: ConditionKind;
  numbers: Numbers;
  severity: Severity;
  enabled: boolean;
  recoverMinutes: number | string;
  suppressMinutes: number | string;
}

const blank: Form = {
  name: '',
  kind: 'dead_letters',
  numbers: numbersFor('dead_letters', {}),
  severity: 'warning',
  enabled: true,
  recoverMinutes: 5,
  suppressMinutes: 0,
};

function formOf({ name, condition, severity, enabled, recoverSeconds, suppressSeconds }: AlertRule): Form {
  const { kind, ...numbers } = condition;
  return {
    name,
    kind,
    numbers,
    severity,
    enabled,
    recoverMinutes: recoverSeconds / 60,
    suppressMinutes: suppressSeconds / 60,
  };
}

interface Props {
  isOpen: boolean;
  onClose: () => void;
  rule?: AlertRule;
}

export function RuleForm({ isOpen, onClose, rule }: Props) {
  const t = useT();
  const format = useFormat();
  const queries = useQueryClient();
  const [form, setForm] = useState(blank);
  const set = (change: Partial<Form>) => setForm((now) => ({ ...now, ...change }));
  // biome-ignore lint/correctness/useExhaustiveDependencies: the fields begin anew each time it opens.
  useEffect(() => {
    if (isOpen) setForm(rule ? formOf(rule) : blank);
  }, [isOpen, rule?.id]);

  const condition = conditionOf(form.kind, form.numbers);
  const submit = async () => {
    const body = {
      name: form.name.trim(),
      condition,
      severity: form.severity,
      enabled: form.enabled,
      recoverSeconds: Math.round(Number(form.recoverMinutes) * 60),
      suppressSeconds: Math.round(Number(form.suppressMinutes) * 60),
    };
    if (rule)
      await client.PUT('/api/v1/alert-rule/{alert_rule_id}', {
        params: { path: { alert_rule_id: rule.id } },
        body,
      });
    else await client.POST('/api/v1/alert-rule', { body });
    await queries.invalidateQueries();
  };
  return (
    <FormPanel
      isOpen={isOpen}
      onClose={onClose}
      title={rule ? t.alerts.editRule : t.alerts.createRule}
      act={rule ? t.save : t.create}
      onSubmit={submit}
    >
      <TextInput
        label={t.name}
        description={t.alerts.nameNote}
        value={form.name}
        onChange={(event) => set({ name: event.target.value })}
        maxLength={256}
        required
        data-autofocus
      />
      <NativeSelect
        label={t.alerts.firesWhen}
        value={form.kind}
        onChange={(event) => {
          const kind = conditionKinds.find((each) => each === event.target.value) ?? 'dead_letters';
          set({ kind, numbers: numbersFor(kind, form.numbers) });
        }}
        data={conditionKinds.map((value) => ({ value, label: t.alerts.conditionKinds[value] }))}
      />
      <div className="alert-numbers">
        {fieldsOf(form.kind).map((field) => (
          <NumberInput
            key={field}
            label={t.alerts.fields[field]}
            value={form.numbers[field]}
            onChange={(value) => set({ numbers: { ...form.numbers, [field]: value } })}
            min={1}
            max={mostOf(form.kind, field)}
            allowDecimal={false}
            hideControls
            required
          />
        ))}
      </div>
      <p className="caption">{t.alerts.condition(condition, format)}</p>
      <NativeSelect
        label={t.alerts.severity}
        value={form.severity}
        onChange={(event) => set({ severity: severities.find((each) => each === event.target.value) ?? 'warning' })}
        data={severities.map((value) => ({ value, label: t.alerts.severities[value] }))}
      />
      <NumberInput
        label={t.alerts.recover}
        description={t.alerts.recoverNote}
        value={form.recoverMinutes}
        onChange={(recoverMinutes) => set({ recoverMinutes })}
        min={1}
        max={week}
        hideControls
        required
      />
      <NumberInput
        label={t.alerts.suppress}
        description={t.alerts.suppressNote}
        value={form.suppressMinutes}
        onChange={(suppressMinutes) => set({ suppressMinutes })}
        min={0}
        max={week}
        hideControls
        required
      />
      <Switch
        label={t.alerts.isOn}
        checked={form.enabled}
        onChange={(event) => set({ enabled: event.target.checked })}
      />
      {rule && <p className="caption">{t.alerts.beginsAnew}</p>}
    </FormPanel>
  );
}
