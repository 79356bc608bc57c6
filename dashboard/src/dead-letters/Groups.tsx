// Groups of dead letters: one endpoint and one reason each. A group opens to show its letters.
import { keepPreviousData } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { api } from '../api/client';
import type { DeadLetterGroup } from '../api/types';
import { Button } from '../design/controls/Button';
import { Failure } from '../design/feedback/Notice';
import { useRowKeys } from '../design/tables/keys';
import { SkeletonText } from '../design/tables/Table';
import { Icon } from '../design/values/Icon';
import { Id } from '../design/values/Id';
import { Time } from '../design/values/Time';
import { EndpointName } from '../endpoints/name';
import { useFormat, useT } from '../i18n';
import { known } from '../i18n/en/answers';
import { Go, usePlaces } from '../navigation/places';
import { useUrl } from '../navigation/url';
import { filterOf, queryOf } from './bulk';
import { PickBox } from './PickBox';
import { groupKey, toggled } from './selection';

interface Props {
  groups: DeadLetterGroup[];
  selected: ReadonlySet<string>;
  onSelect: (selected: ReadonlySet<string>) => void;
  letters: ReadonlySet<string>;
  onSelectLetters: (letters: ReadonlySet<string>) => void;
}

export function Groups({ groups, selected, onSelect, letters, onSelectLetters }: Props) {
  const t = useT();
  const list = useRef<HTMLDivElement>(null);
  useRowKeys(list);
  const keys = groups.map(groupKey);
  const isAll = keys.every((key) => selected.has(key));
  return (
    <div className="card groups" ref={list}>
      <div className="group-head">
        <PickBox
          label={t.deadLetters.selectAll}
          isOn={isAll}
          isPart={selected.size > 0}
          onChange={() => onSelect(isAll ? new Set() : new Set(keys))}
        />
        <span className="caption grow">{t.deadLetters.endpointAndWhy}</span>
        <span className="caption">{t.deadLetters.countDied}</span>
      </div>
      {groups.map((group) => (
        <Group
          key={groupKey(group)}
          group={group}
          isSelected={selected.has(groupKey(group))}
          onSelect={() => onSelect(toggled(selected, groupKey(group)))}
          letters={letters}
          onSelectLetters={onSelectLetters}
        />
      ))}
    </div>
  );
}

interface GroupProps {
  group: DeadLetterGroup;
  isSelected: boolean;
  onSelect: () => void;
  letters: ReadonlySet<string>;
  onSelectLetters: (letters: ReadonlySet<string>) => void;
}

function Group({ group, isSelected, onSelect, letters, onSelectLetters }: GroupProps) {
  const t = useT();
  const format = useFormat();
  const [url, setUrl] = useUrl();
  const key = groupKey(group);
  const isOpen = url.open === key;
  const isGone = group.endpointDeletedAt !== null;
  const { lastStatusCode, lastFailure, lastError } = group;
  const answered = lastStatusCode || lastFailure ? t.answer(lastStatusCode, lastFailure) : null;
  const last = [answered, known(lastStatusCode, lastFailure, lastError)].filter(Boolean).join(': ');
  const span = [format.moment(group.oldestAt), format.moment(group.newestAt)];
  return (
    <>
      <div className={isSelected ? 'group selected' : 'group'} data-row>
        <PickBox label={t.deadLetters.selectGroup(group.appName, group.url)} isOn={isSelected} onChange={onSelect} />
        <button
          type="button"
          className="group-open"
          data-open
          aria-expanded={isOpen}
          onClick={() => setUrl({ open: isOpen ? undefined : key }, { replace: true })}
        >
          <Icon name={isOpen ? 'chevronDown' : 'chevronRight'} />
          <span className="group-text">
            <span className="cut">
              <b className="medium">{group.appName}</b> <EndpointName url={group.url} />
            </span>
            <span className="caption cut">
              <span className="dead medium">{t.deadLetters.reasons[group.reason]}</span>
              {last && ` · ${t.deadLetters.last(last)}`}
            </span>
          </span>
        </button>
        <span className="num group-count">
          <b>{t.num(group)}</b>
          <span className="caption">{span[0] === span[1] ? span[0] : span.join(' – ')}</span>
        </span>
        {group.runningTaskId ? (
          <Go to={`/tasks/${group.runningTaskId}`} className="state in_flight">
            <Icon name="replay" small /> {t.deadLetters.running}
          </Go>
        ) : (
          <Button
            small
            data-key="r"
            onClick={() => setUrl({ panel: isGone ? 'discard' : 'replay', for: key, ids: undefined })}
          >
            {isGone ? t.deadLetters.discard : t.deadLetters.replay}
          </Button>
        )}
      </div>
      {isOpen && (
        <GroupLetters group={group} isSelected={isSelected} letters={letters} onSelectLetters={onSelectLetters} />
      )}
    </>
  );
}

function GroupLetters({ group, isSelected, letters, onSelectLetters }: Omit<GroupProps, 'onSelect'>) {
  const t = useT();
  const [url] = useUrl();
  const places = usePlaces();
  const [limit, setLimit] = useState(5);
  const query = {
    ...queryOf(filterOf(url)),
    app_id: group.appId,
    endpoint_id: group.endpointId,
    reason: group.reason,
    state: 'open',
    limit,
    order: 'descending' as const,
  };
  const list = api.useQuery('get', '/api/v1/dead-letter', { params: { query } }, { placeholderData: keepPreviousData });
  const rest = list.data ? group.count - list.data.data.length : 0;
  return (
    <div className="group-letters">
      {list.isPending &&
        Array.from({ length: Math.min(group.count, limit) }, (_, place) => (
          <div key={place} className="letter">
            <span />
            {[0, 1, 2, 3, 1].map((width, column) => (
              <SkeletonText key={column} place={place + width} />
            ))}
          </div>
        ))}
      {list.data?.data.map((letter) => (
        <div key={letter.id} className={isSelected || letters.has(letter.id) ? 'letter selected' : 'letter'} data-row>
          <PickBox
            label={letter.id}
            isOn={isSelected || letters.has(letter.id)}
            isFixed={isSelected}
            onChange={() => onSelectLetters(toggled(letters, letter.id))}
          />
          <Go to={places.deadLetter(letter.id)} opens>
            <Id id={letter.id} noCopy />
          </Go>
          <span className="medium cut">{letter.eventType}</span>
          <span className="mono dim cut only-wide">{letter.eventId}</span>
          <span className="dim">{t.answer(letter.lastStatusCode, letter.lastFailure)}</span>
          <span className="num dim">
            <Time at={letter.diedAt} as="exact" />
          </span>
        </div>
      ))}
      {list.error && <Failure error={list.error} onRetry={list.refetch} />}
      <div className="letter-more">
        {rest > 0 && limit < 250 && (
          <button type="button" className="link small" onClick={() => setLimit(250)}>
            {t.deadLetters.showOthers(Math.min(rest, 250 - limit))}
          </button>
        )}
        <Go
          to="/dead-letters"
          search={{
            ...filterOf(url),
            app_id: group.appId,
            endpoint_id: group.endpointId,
            reason: group.reason,
            by: 'time',
          }}
          className="link small"
        >
          {t.deadLetters.asList}
        </Go>
      </div>
    </div>
  );
}
